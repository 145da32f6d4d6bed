"""inotify(7), as far as following one file needs it: which names, in which folders, came anew."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from pathlib import Path

# sys/inotify.h. What is being written is no news until it is closed.
CLOSE_WRITE, MOVED_TO, CREATE, OVERFLOW, IGNORED = 0x8, 0x80, 0x100, 0x4000, 0x8000
EVENT = struct.Struct("iIII")
BUFFER = 64 * 1024
# More symbolic links than this the kernel does not follow either (path_resolution(7)).
LINKS = 40


class Watch:
    """An inotify descriptor, and what is watched by it. OSError."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self._checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._watched: dict[int, Path] = {}

    def add(self, path: Path) -> None:
        """Watch what is at this path now, a folder or a file; once more changes nothing."""
        number = self._libc.inotify_add_watch(
            self.fd, os.fsencode(path), CLOSE_WRITE | MOVED_TO | CREATE
        )
        self._watched[self._checked(number)] = path

    def changed(self, names: set[Path]) -> set[Path]:
        """Which of these names came anew since the last time, a file's own where it was watched
        itself; or may have: where too much happens at once, the kernel says only that.

        A regular file that is made is told of when it is closed, a symbolic link at once.
        """
        try:
            data = os.read(self.fd, BUFFER)
        except BlockingIOError:
            return set()
        found = set()
        for number, mask, name in events(data):
            if mask & OVERFLOW:
                found |= names
            if number not in self._watched:
                continue
            path = self._watched[number] / name
            if mask & IGNORED:  # What was watched is gone, and its number with it.
                del self._watched[number]
            elif mask & (CLOSE_WRITE | MOVED_TO) or (mask & CREATE and path.is_symlink()):
                found.add(path)
        return found & names

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


def names_to(path: Path) -> set[Path]:
    """Each name that may come to mean another file: the path's own, and those of the symbolic
    links that it leads through. The folders of these names are real ones."""
    found = set()
    here, left = Path("/"), list(path.absolute().parts[1:])
    links = 0
    while left and links <= LINKS:
        name = left.pop(0)
        step = here.parent if name == ".." else here / name
        if not left:
            found.add(step)
        try:
            target = step.readlink()
        except OSError:  # No link, or nobody can say: then the file cannot be read there either.
            here = step
            continue
        found.add(step)
        links += 1
        left = [*target.parts, *left]
        if target.is_absolute():
            here, left = Path("/"), left[1:]
    return found
