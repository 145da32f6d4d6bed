"""Attaches that were begun ahead of the engine's word, until their run asks for them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence, Set
from contextlib import suppress

import psutil

from waitforweave.attach.backend import Container
from waitforweave.docker.json_object import Object
from waitforweave.gate.weave_cidr import Wanted
from waitforweave.hooks.process import is_gone, is_of
from waitforweave.hooks.threads import Threads

Attach = asyncio.Task[tuple[str, ...]]


class Begun:
    """One for each container at most: the newest."""

    def __init__(self, threads: Threads) -> None:
        self.threads = threads
        self._attaches: dict[str, tuple[psutil.Process, Attach]] = {}

    def __contains__(self, container: str) -> bool:
        return container in self._attaches

    def begin(self, container: Container, wanted: Sequence[Wanted]) -> None:
        """Attach it, unless it has ended."""
        with suppress(psutil.Error):
            process = psutil.Process(container.pid)
            attach = asyncio.create_task(self.threads.attach(container, wanted))
            attach.add_done_callback(seen)
            self._attaches[container.id] = process, attach

    def take(self, container: Container) -> Attach | None:
        """The attach that was begun of this very process."""
        process, attach = self._attaches.pop(container.id, (None, None))
        return attach if process is not None and is_of(process, container.pid) else None

    def addresses(self, container: str) -> tuple[str, ...] | None:
        """Of one that has succeeded, and that no run has asked for yet."""
        _, attach = self._attaches.get(container, (None, None))
        if attach is None or not attach.done() or attach.cancelled() or attach.exception():
            return None
        return attach.result()

    def has_ended(self, container: str) -> bool:
        """Whether the process that was attached is no more."""
        process, _ = self._attaches[container]
        return is_gone(process.pid)

    def forget_ended(self, container: str) -> None:
        """The same, of whom the process is no more."""
        if container in self and self.has_ended(container):
            self.forget(container)

    def keep(self, existing: Set[str]) -> None:
        """Forget those of containers that are not there."""
        for gone in self._attaches.keys() - existing:
            del self._attaches[gone]

    def forget(self, container: str) -> None:
        """It is destroyed."""
        self._attaches.pop(container, None)


def sets_interfaces(container: Object) -> bool:
    """Whether it has sysctls of all interfaces, or of those to come: runc writes them after the
    engine has connected it, so that an `ethwe` that is there by then has others than one that comes
    after the start, or loses its IPv6."""
    sysctls = container["HostConfig"].get("Sysctls") or {}
    return any(".conf." in name or ".neigh." in name for name in sysctls)


def seen(attach: Attach) -> None:
    """What went wrong ahead is tried again, and told of, after the start."""
    if not attach.cancelled():
        attach.exception()
