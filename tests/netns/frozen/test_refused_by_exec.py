"""What only execve(2) itself refuses, when all looked well before: the frozen gate says it in one
line, also where its launcher is who executes the command."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ENTRIES = {"by the gate": {}, "by its launcher": {"LD_LIBRARY_PATH": "/nowhere"}}
SKIP = {"WAIT_FOR_WEAVE_SKIP": "yes", "PATH": "/usr/bin:/bin"}


@pytest.fixture
def busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A program in the current directory that somebody writes to."""
    monkeypatch.chdir(tmp_path)
    program = tmp_path / "busy"
    shutil.copy("/bin/true", program)
    with program.open("ab"):
        yield "./busy"


def refused(program: str) -> int | None:
    """The errno of executing it without us."""
    try:
        subprocess.run([program], check=True)
    except OSError as error:
        return error.errno
    return None


@pytest.mark.parametrize("by", ENTRIES)
def test_a_program_that_is_written_to(frozen: str, busy: str, by: str) -> None:
    env = {**SKIP, **ENTRIES[by]}
    done = subprocess.run([frozen, busy], env=env, capture_output=True, text=True, check=False)
    # Linux 6.11 and 6.12 execute it.
    if refused(busy) == errno.ETXTBSY:
        assert done.returncode == 126
        assert done.stderr.lower() == f"wait-for-weave: {busy}: text file busy\n"
    else:
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("by", ENTRIES)
def test_a_script_without_its_interpreter(
    frozen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.chdir(tmp_path)
    script = Path("script")
    script.write_text("#!/nowhere/sh\n")
    script.chmod(0o755)
    assert refused("./script") == errno.ENOENT
    env = {**SKIP, **ENTRIES[by]}
    done = subprocess.run(
        [frozen, "./script"], env=env, capture_output=True, text=True, check=False
    )
    (line,) = done.stderr.splitlines()
    assert done.returncode == 127
    assert line.lower().startswith("wait-for-weave: ./script: no such file")


@pytest.mark.parametrize("by", ENTRIES)
def test_arguments_up_to_the_kernels_limit_but_for_the_little_that_is_ours(
    frozen: str, by: str
) -> None:
    # execve(2): a quarter of the stack's soft limit, pointers too; 8 KiB are plenty for us.
    limit = os.sysconf("SC_ARG_MAX")
    word = "x" * 1015
    words = [word] * ((limit - 8192) // (len(word) + 1 + 8))
    script = ["sh", "-c", "echo $#", "sh", *words]
    env = {**SKIP, **ENTRIES[by]}
    done = subprocess.run([frozen, *script], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{len(words)}\n", "")
