"""One at a time for each container: its start hook, the watcher of events and a person may come
together. Other containers' attaches do not wait (weave#2032)."""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from waitforweave.attach.netns import OWN

LOCK_NAME = "attach.lock"


@contextmanager
def alone(state: Path, container: str) -> Iterator[None]:
    """Hold the container's byte of the lock file in the folder `state`. OSError.

    An open file description lock (fcntl(2)) is each descriptor's own, so it parts threads as
    well as processes, and the kernel drops it with a process that is killed.
    """
    state.mkdir(parents=True, exist_ok=True)
    fd = os.open(state / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.fcntl(fd, fcntl.F_OFD_SETLKW, exclusive(byte_of(container)))
        yield
    finally:
        os.close(fd)


@contextmanager
def bridge_used() -> Iterator[None]:
    """Inside, nobody takes the bridge away, whosever books he has. OSError."""
    with namespace() as fd:
        fcntl.flock(fd, fcntl.LOCK_SH)
        yield


@contextmanager
def bridge_unused() -> Iterator[bool]:
    """Whether nobody uses the bridge now; then nobody begins to before the block's end. OSError."""
    with namespace() as fd:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextmanager
def namespace() -> Iterator[int]:
    """A file of the kernel's own, which all have in common that are in this network namespace."""
    fd = os.open(OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def forget(state: Path) -> None:
    """Take the lock file away, and the folder if nothing else is in it."""
    (state / LOCK_NAME).unlink(missing_ok=True)
    with suppress(OSError):
        state.rmdir()


def byte_of(container: str) -> int:
    """Two containers that meet on one byte wait for each other, and that is all."""
    return int.from_bytes(hashlib.sha256(container.encode()).digest()[:7], "big")


def exclusive(start: int) -> bytes:
    """struct flock: l_type, l_whence, l_start, l_len, l_pid (which has to be 0)."""
    return struct.pack("hhqqi0q", fcntl.F_WRLCK, os.SEEK_SET, start, 1, 0)
