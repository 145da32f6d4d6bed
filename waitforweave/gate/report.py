"""What a person or a log reader sees."""

from __future__ import annotations

import posix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from waitforweave.gate.conditions import Verdict

STDOUT, STDERR = 1, 2
USAGE = """\
Usage: wait-for-weave [--help | --version] [--] [COMMAND [ARG...]]

Wait until the interface ethwe has the addresses that WEAVE_CIDR promises, then become COMMAND.
Without COMMAND: wait, and exit 0.

Environment:
  WEAVE_CIDR           what to wait for: 10.2.1.5/24, ip:10.2.1.5/24, net:10.2.2.0/24 or
                       net:default, separated by commas or spaces; none: nothing;
                       empty or absent: any address
  WAIT_FOR_SECONDS     how long to wait at most (30); 0: for ever
  WAIT_FOR_WEAVE_SKIP  yes: do not wait, run COMMAND at once
  WAIT_FOR_WEAVE_QUIT  yes: exit 0 at once

Exit codes: those of COMMAND; 1 the time ran out; 2 bad option or value; 125 the gate itself
failed; 126 COMMAND cannot be executed; 127 COMMAND is not there; 128+N ended by signal N.
"""
WAY_OUT = (
    "is the container attached? WAIT_FOR_WEAVE_SKIP=yes runs the command without waiting, "
    "WAIT_FOR_SECONDS=N waits longer (0: for ever)"
)


def say(text: str) -> None:
    """Lines on stderr; a closed or broken stderr is no reason to end otherwise."""
    for line in text.splitlines():
        write(STDERR, f"wait-for-weave: {line}\n")


def write(fd: int, text: str) -> None:
    """Past sys.stdout and sys.stderr, which are None when the file is closed at start."""
    rest = text.encode("ascii", "backslashreplace")
    try:
        while rest:
            rest = rest[posix.write(fd, rest) :]
    except OSError:
        pass


def timed_out(verdict: Verdict, seconds: float) -> str:
    """What was there and what was missing, and what to do about it."""
    amount = f"{seconds:.9f}".rstrip("0").rstrip(".")
    return f"not ready after {amount} s: {verdict.reason}\n{WAY_OUT}"


def hopeless(verdict: Verdict) -> str:
    """Waiting longer would not help."""
    return f"will not become ready: {verdict.reason}"


def interrupted(number: int, verdict: Verdict) -> str:
    """Somebody ended us while we waited."""
    return f"ended by signal {number} while waiting: {verdict.reason}"
