"""One launch or stop at a time for an engine: two at once would each take away the other's
half-made parts, as those of a launch that was killed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from waitforweave.docker.url import parse_engine_url

ELSEWHERE = Path("/run")


@contextmanager
def alone(engine: str, waits: Callable[[], None]) -> Iterator[None]:
    """Hold the engine's lock; `waits` is called where somebody else holds it now.

    The lock is on the folder of the engine's socket, which all have in common that reach it on this
    host, whoever they are, and where nothing has to be made (flock(2) wants no right to write). The
    kernel drops it with a process that is killed. Who may not read the folder goes without.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            fd = os.open(folder_of(engine), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            stack.callback(os.close, fd)
            lock(fd, waits)
        yield


def lock(fd: int, waits: Callable[[], None]) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        waits()
        fcntl.flock(fd, fcntl.LOCK_EX)


def folder_of(engine: str) -> Path:
    url = parse_engine_url(engine)
    return Path(url.path).parent if url.scheme == "unix" else ELSEWHERE
