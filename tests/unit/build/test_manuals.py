"""docs/man and docs/completion are what the code says; the shells understand the latter."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from build import manuals
from waitforweave.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[3]
COMPLETION = ROOT / "docs" / "completion"
SECONDS = 30
# weavewait, which the completions call, is on PATH.
ENVIRON = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "TERM": "dumb"}


def test_the_files_are_what_the_code_says():
    folders = (ROOT / "docs" / "man", COMPLETION)
    there = {path: path.read_text() for f in folders for path in f.rglob("*") if path.is_file()}
    assert there == manuals.files(), "make manuals writes them anew"


def test_each_command_has_a_page_and_is_named_in_the_first():
    pages = {path.name: text for path, text in manuals.files().items() if path.suffix == ".1"}
    shown = [name for name in COMMANDS if name != "volume"]
    assert set(pages) == {
        "wait-for-weave.1",
        "weavewait.1",
        *(f"weavewait-{name}.1" for name in shown),
    }
    for name in shown:
        assert f"\\fB{name}\\fP" in pages["weavewait.1"]
    assert "\x08" not in "".join(pages.values())


def test_the_gates_page_has_all_that_its_help_has():
    (page,) = (text for path, text in manuals.files().items() if path.name == "wait-for-weave.1")
    for name, value, _ in manuals.gate_options():
        shown = f"--{name}".replace("-", r"\-")
        assert f"\\fB{shown}\\fP{' ' + value if value else ''}\n" in page
    for name in ("WEAVE_CIDR", "WAIT_FOR_SECONDS", "WAIT_FOR_WEAVE_SKIP", "WAIT_FOR_WEAVE_QUIT"):
        assert f"\\fB{name}\\fP\n" in page
    assert "128+N ended by signal N." in page


def said(*words: str) -> str:
    done = subprocess.run(
        words, env=ENVIRON, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_bash_completes_commands():
    script = (
        f"source {COMPLETION}/bash/weavewait; COMP_WORDS=(weavewait la) COMP_CWORD=1; "
        '_weavewait_completion weavewait; echo "${COMPREPLY[@]}"'
    )
    assert said("bash", "-c", script) == "launch\n"


def test_bash_completes_the_gates_options():
    script = f"source {COMPLETION}/bash/wait-for-weave; complete -p wait-for-weave"
    words = re.findall(r"--[a-z-]+", said("bash", "-c", script))
    assert words == [f"--{name}" for name, _, _ in manuals.gate_options()]


@pytest.mark.parametrize(
    ("program", "typed", "completed"),
    [("weavewait", "la", "launch"), ("wait-for-weave", "--int", "--interface")],
)
def test_fish_completes(program: str, typed: str, completed: str):
    script = f"source {COMPLETION}/fish/{program}.fish; complete -C '{program} {typed}'"
    assert said("fish", "--no-config", "-c", script).split()[0] == completed


@pytest.mark.parametrize(
    ("program", "typed", "completed"),
    [("weavewait", "la", "launch"), ("wait-for-weave", "--int", "--interface")],
)
def test_zsh_completes(program: str, typed: str, completed: str, tmp_path: Path):
    """Its completion works at a terminal alone: the word is typed there, and a tab."""
    pid, terminal = pty.fork()
    if pid == 0:
        environ = ENVIRON | {"ZDOTDIR": str(tmp_path), "HOME": str(tmp_path)}
        os.execvpe("zsh", ["zsh", "-f", "-i"], environ)
    script = (
        f"PS1='rea''dy>'; fpath=({COMPLETION}/zsh $fpath); autoload -Uz compinit; compinit -u -D\n"
    )
    with os.fdopen(terminal, "r+b", buffering=0) as shell:
        shell.write(script.encode())
        read_until(shell.fileno(), b"ready>")
        shell.write(f"{program} {typed}\t".encode())
        assert completed.encode() in read_until(shell.fileno(), completed.encode())
        shell.write(b"\x15exit\n")
    os.waitpid(pid, 0)


def read_until(fd: int, wanted: bytes) -> bytes:
    """What comes, up to the first `wanted`; pytest's own limit ends a wait in vain."""
    seen = b""
    while wanted not in seen:
        seen += os.read(fd, 1024)
    return seen
