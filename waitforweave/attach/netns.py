"""A container's network namespace: held by a descriptor, entered by a thread of its own."""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

import psutil

from waitforweave.attach.backend import AttachError, Container

CLONE_NEWNET = 0x40000000  # linux/sched.h
# Not /proc/self: that is the process' first thread, which may be elsewhere than this one.
OWN = Path("/proc/thread-self/ns/net")
OWN_CGROUP = Path("/proc/self/cgroup")
# Docker's and Podman's ids, wherever the cgroup driver puts them: /docker/ID, docker-ID.scope.
CONTAINER_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
# What says that a process is no more; anything else, such as EMFILE, tells nothing of it.
NO_PROCESS = (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError, ValueError)

Result = TypeVar("Result")


@contextmanager
def held(container: Container) -> Iterator[int]:
    """A descriptor of the container's network namespace, which stays what it is even when the
    pid is another process' meanwhile (pipework#204). AttachError, OSError."""
    try:
        before = psutil.Process(container.pid).create_time()
        fd = os.open(f"/proc/{container.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    except (PermissionError, psutil.AccessDenied) as error:
        path = f"/proc/{container.pid}/ns/net"
        raise AttachError(
            f"may not open {path}: root is needed, or SYS_PTRACE and the host's pids"
        ) from error
    except NO_PROCESS as error:
        raise not_running(container) from error
    try:
        require_same(container, before)
        require_foreign(fd)
        yield fd
    finally:
        os.close(fd)


def not_running(container: Container) -> AttachError:
    # Weave's own words.
    return AttachError(f"container {container.id[:12]} not running")


def require_same(container: Container, created: float) -> None:
    """What was opened is the namespace of the process that was asked for. AttachError, OSError."""
    try:
        same = psutil.Process(container.pid).create_time() == created
        path = Path(f"/proc/{container.pid}/cgroup").read_text()
    except NO_PROCESS as error:
        raise not_running(container) from error
    if not same or is_another(container.id, path, OWN_CGROUP.read_text()):
        raise not_running(container)


def is_another(container_id: str, cgroups: str, own: str) -> bool:
    """Whether /proc/PID/cgroup names containers, and not this one among them: the pid was used
    again between the engine's answer and our open. The container that we run in ourselves does
    not count; no id at all (a foreign runtime) tells nothing."""
    named = containers_in(cgroups) - containers_in(own)
    return bool(named) and container_id not in named


def containers_in(cgroups: str) -> set[str]:
    """The containers' ids that a /proc/PID/cgroup names."""
    return set(CONTAINER_ID.findall(cgroups))


def require_foreign(fd: int) -> None:
    """Never the namespace that we run in, which is the host's. Not /proc/1/ns/net: that may be
    unreadable."""
    ours, theirs = OWN.stat(), os.fstat(fd)
    if (ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino):
        # Weave's own words.
        raise AttachError(
            "Container is running in the host network namespace, and therefore cannot be "
            "connected to weave"
        )


class Run(Protocol):
    """What `work` gives or raises."""

    def __call__(self, work: Callable[[], Result], /) -> Result: ...


@contextmanager
def entered(fd: int) -> Iterator[Run]:
    """Run works in the namespace, one after the other. setns(2) moves one thread only, and that
    thread ends with the block: nothing else of this process is ever there."""
    with ThreadPoolExecutor(1, "netns") as thread:
        thread.submit(enter, fd).result()
        yield lambda work: thread.submit(work).result()


def run_inside(fd: int, work: Callable[[], Result]) -> Result:
    """What `work` gives or raises, run in the namespace."""
    with entered(fd) as inside:
        return inside(work)


def enter(fd: int) -> None:
    """setns(2); Python has it from 3.12 on."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(fd, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot enter the network namespace: {os.strerror(number)}")
