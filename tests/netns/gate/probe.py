"""What a program finds when it starts: printed by cat and ls, with and without the gate.

Also the way to start it with an environment that no dict can hold: run as

    python -m tests.netns.gate.probe PROGRAM [ARG...]

it executes PROGRAM with the entries that it reads from stdin, each ended by a NUL.
"""

from __future__ import annotations

import ctypes
import sys

# Not those that count what the process did, or when.
STATUS = (
    "Umask", "State", "Tgid", "Pid", "PPid", "TracerPid", "Uid", "Gid", "Groups", "Threads",
    "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt", "CapInh", "CapPrm", "CapEff", "CapBnd",
    "CapAmb", "NoNewPrivs", "Seccomp",
)  # fmt: skip
SAME_PROCESS = {"State", "Tgid", "Pid", "PPid"}


def status(text: str) -> dict[str, str]:
    """The lines of /proc/PID/status that a program could mind, but for its pid."""
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {name: fields[name].strip() for name in STATUS if name not in SAME_PROCESS}


def main() -> None:
    entries = sys.stdin.buffer.read().split(b"\0")[:-1]
    argv = [word.encode() for word in sys.argv[1:]]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.execve(argv[0], array(argv), array(entries))
    raise OSError(ctypes.get_errno(), "execve")


def array(words: list[bytes]) -> ctypes.Array[ctypes.c_char_p]:
    """A char *[], with its NULL at the end."""
    return (ctypes.c_char_p * (len(words) + 1))(*words, None)


if __name__ == "__main__":
    main()
