"""What an unfrozen Python does to its environment at its start, undone."""

from __future__ import annotations

import posix

from waitforweave.gate import procfs

NAME = b"LC_CTYPE"


def undo() -> None:
    """Give LC_CTYPE back: Python sets it where the locale is C, even with -I (PEP 538).

    /proc/self/environ shows the environment that the process began with. Without a /proc it stays.
    """
    before = procfs.read_file("/proc/self/environ")
    if before is not None and NAME in posix.environ:
        put_back(original(before))


def original(environ: bytes) -> bytes | None:
    """The value of LC_CTYPE in the entries of `environ`; None if it has none."""
    for entry in environ.split(b"\0"):
        name, equals, value = entry.partition(b"=")
        if name == NAME and equals:
            return value
    return None


def put_back(value: bytes | None) -> None:
    """C's setenv changes an entry where it stands, so that its place is kept."""
    if value is None:
        posix.unsetenv(NAME)
    elif value != posix.environ[NAME]:
        posix.putenv(NAME, value)
