"""A container's network namespace: held by a descriptor, entered by a thread of its own."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil

from waitforweave.attach.backend import AttachError, Container

CLONE_NEWNET = 0x40000000  # linux/sched.h
OWN = Path("/proc/self/ns/net")

Result = TypeVar("Result")


@contextmanager
def held(container: Container) -> Iterator[int]:
    """A descriptor of the container's network namespace, which stays what it is even when the
    pid is another process' meanwhile (pipework#204). AttachError."""
    try:
        before = psutil.Process(container.pid).create_time()
        fd = os.open(f"/proc/{container.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    except (psutil.Error, OSError) as error:
        raise AttachError(f"container {container.id[:12]} not running") from error
    try:
        require_same(container, before)
        require_foreign(fd)
        yield fd
    finally:
        os.close(fd)


def require_same(container: Container, created: float) -> None:
    """What was opened is the namespace of the process that was asked for."""
    try:
        same = psutil.Process(container.pid).create_time() == created
    except psutil.Error:
        same = False
    if not same:
        raise AttachError(f"container {container.id[:12]} not running")


def require_foreign(fd: int) -> None:
    """Never the namespace that we run in, which is the host's. Not /proc/1/ns/net: that may be
    unreadable."""
    # Weave's own words.
    if os.fstat(fd).st_ino == OWN.stat().st_ino:
        raise AttachError(
            "Container is running in the host network namespace, and therefore cannot be "
            "connected to weave"
        )


def run_inside(fd: int, work: Callable[[], Result]) -> Result:
    """What `work` gives or raises, run in the namespace. setns(2) moves one thread only, and that
    thread ends with the work: nothing else of this process is ever there."""
    results: list[Result] = []
    errors: list[Exception] = []

    def thread() -> None:
        try:
            enter(fd)
            results.append(work())
        except Exception as error:  # noqa: BLE001 - raised again, in the caller's thread
            errors.append(error)

    worker = threading.Thread(target=thread, name="netns")
    worker.start()
    worker.join()
    if errors:
        raise errors[0]
    return results[0]


def enter(fd: int) -> None:
    """setns(2); Python has it from 3.12 on."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(fd, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot enter the network namespace: {os.strerror(number)}")
