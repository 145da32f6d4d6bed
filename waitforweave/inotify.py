"""inotify(7): the two calls that Python has not, and the events that the kernel writes."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from pathlib import Path

EVENT = struct.Struct("iIII")
BUFFER = 64 * 1024
# sys/inotify.h: the queue was too short for all that happened.
OVERFLOW = 0x4000


class Inotify:
    """A descriptor, readable when something has happened to what is watched. OSError."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.fd: int = self._checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))

    def add(self, path: str | Path, mask: int) -> int:
        """Watch what is at this path now; its number, the same one where it is watched already."""
        return self._checked(self._libc.inotify_add_watch(self.fd, os.fsencode(path), mask))

    def read(self) -> Iterator[tuple[int, int, str]]:
        """What has happened since the last time: number of the watch, mask and name."""
        try:
            return events(os.read(self.fd, BUFFER))
        except BlockingIOError:
            return iter(())

    def close(self) -> None:
        os.close(self.fd)

    def _checked(self, result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result


def events(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Watch, mask and name of each event in what was read."""
    at = 0
    while at < len(data):
        number, mask, _, length = EVENT.unpack_from(data, at)
        at += EVENT.size
        yield number, mask, os.fsdecode(data[at : at + length].rstrip(b"\0"))
        at += length
