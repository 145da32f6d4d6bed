"""`wait-for-weave --install DIR`: the frozen gate copies itself, for containers that share DIR."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.netns.gate.space import Space


def install(*words: str | Path, umask: int = 0o022) -> tuple[int, str]:
    """Its exit code, and what it says on stderr; stdout stays empty."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, umask=umask)
    assert done.stdout == ""
    return done.returncode, done.stderr


def content(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_what_it_installs_is_the_gate(frozen: str, space: Space, tmp_path: Path) -> None:
    folder = tmp_path / "not yet" / "there"
    assert install(frozen, "--install", folder, umask=0o077) == (0, "")
    assert content(folder) == content(Path(frozen).parent)
    gate = space.start(f"{folder}/wait-for-weave", "echo", "ran").settled()
    space.attach("10.2.1.5/24")
    result = gate.finish()
    assert (result.code, result.out, result.err) == (0, "ran\n", "")


def test_any_user_may_run_it(frozen: str, tmp_path: Path) -> None:
    folder = tmp_path / "gate"
    install(frozen, "--install", folder, umask=0o077)
    modes = {path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*")) if path.is_dir()}
    assert modes == {0o755}
    of_files = {path.name: path.stat().st_mode & 0o777 for path in folder.rglob("*")}
    assert of_files["wait-for-weave"] == 0o755
    assert of_files["libc.so.6"] & 0o444 == 0o444


def test_another_version_is_replaced(frozen: str, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libc.so.6").write_text("of another version")
    (tmp_path / "wait-for-weave").write_text("of another version")
    (tmp_path / "not ours").write_text("stays")
    assert install(frozen, "--install", tmp_path) == (0, "")
    assert content(tmp_path) == {**content(Path(frozen).parent), "not ours": b"stays"}


def test_onto_itself_it_does_nothing(frozen: str, tmp_path: Path) -> None:
    folder = tmp_path / "gate"
    install(frozen, "--install", folder)
    before = {path: path.stat().st_ino for path in folder.rglob("*")}
    assert install(folder / "wait-for-weave", "--install", f"{tmp_path}/./gate") == (0, "")
    assert {path: path.stat().st_ino for path in folder.rglob("*")} == before


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--install"], 2, "--install: its value is missing; allowed: --install=VALUE"),
        (["--install="], 2, '--install: "" is no folder; allowed: --install DIR'),
        (
            ["--install", "/x", "ls"],
            2,
            "--install runs no COMMAND; allowed: --install DIR alone",
        ),
        (["--install", "/dev/null"], 125, "--install: /dev/null: Not a directory"),
        (
            ["--install", "/proc/nowhere"],
            125,
            "--install: /proc/nowhere: No such file or directory",
        ),
    ],
)
def test_what_cannot_be(frozen: str, words: list[str], code: int, said: str) -> None:
    assert install(frozen, *words) == (code, f"wait-for-weave: {said}\n")


def test_a_full_disk_is_said_and_nothing_half_written_stays(frozen: str, tmp_path: Path) -> None:
    script = (
        'mount -t tmpfs -o size=1m none "$1" && cd "$1"; "$2" --install "$1" 2>said; echo $?; '
        "tail -n 1 said; find . -name '.*.*'; test -e wait-for-weave && echo a launcher"
    )
    words = ["unshare", "--mount", "sh", "-c", script, "sh", str(tmp_path), frozen]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    code, said, *left = done.stdout.splitlines()
    assert (code, left) == ("125", [])
    assert said.startswith(f"wait-for-weave: --install: {tmp_path}/lib/")
    assert said.endswith(": No space left on device")


def test_the_gate_of_pip_has_nothing_to_copy(tmp_path: Path) -> None:
    gate = [sys.executable, "-m", "waitforweave.gate"]
    assert install(*gate, "--install", tmp_path) == (
        125,
        "wait-for-weave: --install copies the frozen gate, and this one is not frozen\n",
    )
