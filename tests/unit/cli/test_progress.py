"""What a long step shows while it runs, at terminals and where nobody looks."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.support.launched import ROOT
from tests.support.screen import on_screen

# Steps that run until a line comes.
STEP = """
import sys
from build.progress import timed
from waitforweave.cli.progress import shown
with shown("first") as tell:
    sys.stdin.readline()
    tell("[b]second[/b]")
    sys.stdin.readline()
timed("build", "third", lambda: sys.stdin.readline() and "made")
timed("build", "fourth", lambda: None)
"""
COMMAND = [sys.executable, "-c", STEP]
SAID = rb"build: third: made, \d s\r?\nbuild: fourth: \d s\r?\n"
# SGR, with which colours and bold are asked for.
COLOUR = re.compile(rb"\x1b\[[0-9;]*m")


def played(**environ: str) -> bytes:
    """All that a terminal is sent, each step having been seen to run."""
    with on_screen(COMMAND, **environ) as screen:
        assert screen.process.stdin is not None
        for text in (b"first", b"[b]second[/b]", b"build: third"):
            screen.until(text)
            # Kept current.
            screen.until(b"0:00:01")
            screen.process.stdin.write(b"\n")
            screen.process.stdin.flush()
        assert screen.ended() == 0
        return screen.shown


def test_a_terminal_shows_what_runs_and_its_seconds():
    said = played()
    assert COLOUR.search(said)
    # The line that ran is away before what has been done is said in its place; the cursor is back.
    for line in (rb"build: third: made, \d s\r\n", rb"build: fourth: \d s\r\n"):
        assert re.search(rb"\x1b\[2K" + line, said), said
    assert said.count(b"\x1b[?25l") == said.count(b"\x1b[?25h")


def test_no_color_is_obeyed():
    assert not COLOUR.search(played(NO_COLOR="1"))


def test_a_terminal_that_cannot_move_its_cursor_is_spared():
    with on_screen(COMMAND, TERM="dumb") as screen:
        screen.process.communicate(b"\n\n\n")
        screen.ended()
        assert re.fullmatch(SAID, screen.shown), screen.shown


@pytest.mark.parametrize("environ", [{}, {"FORCE_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}])
def test_piped_it_is_a_line_a_step(environ):
    given = {"TERM": "xterm", **environ}
    done = subprocess.run(
        COMMAND, cwd=ROOT, env=given, input=b"\n\n\n", capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert re.fullmatch(SAID, done.stdout), done.stdout
