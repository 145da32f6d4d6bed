"""Run somebody else's program: a list of words, never a shell; with an end to its time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from waitforweave.attach.backend import AttachError

QUOTED_CHARS = 600
# What the frozen program's bootloader leaves for itself, and would steer another one's loader.
BOOTLOADERS = ("_PYI_", "_MEIPASS2", "PYINSTALLER_", "LD_LIBRARY_PATH")
# Before the name of an entry that our launcher hid from our own loader (build/launcher.c).
HIDDEN = "\1"


@dataclass(frozen=True)
class Done:
    """How it ended, and what it said."""

    code: int
    out: str
    err: str


def run(
    words: Sequence[str], environ: Mapping[str, str], seconds: float, *, stdin: str = ""
) -> Done:
    """Run it to its end. AttachError if it cannot be started, or takes longer: then it is ended,
    with all that it started itself."""
    try:
        process = subprocess.Popen(
            words,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise AttachError(f"{words[0]} cannot be run: {os.strerror(error.errno or 0)}") from error
    with process:
        try:
            out, err = process.communicate(stdin, seconds)
        except BaseException as error:
            # Not waited for yet, so that the number is still its own.
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                shown = " ".join(words[:2])
                raise AttachError(f"{shown}: no answer within {seconds:g} s; ended") from error
            raise
    return Done(process.returncode, out, err)


def inherited(**own: str) -> dict[str, str]:
    """Our environment as whoever started us meant it, with entries of the program's own."""
    environ = dict(os.environ)
    if getattr(sys, "frozen", False):
        environ = {
            name.removeprefix(HIDDEN): value
            for name, value in environ.items()
            if not name.startswith(BOOTLOADERS)
        }
    return environ | own


def one_line(text: str) -> str:
    """What a program said, for a message: each line once, of bounded length."""
    lines = dict.fromkeys(line.strip() for line in text.splitlines() if line.strip())
    joined = "; ".join(lines)
    return joined if len(joined) <= QUOTED_CHARS else joined[:QUOTED_CHARS] + "..."
