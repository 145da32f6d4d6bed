"""Giving back: addresses and links of containers that are no more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from waitforweave.attach.backend import AttachError
from waitforweave.hooks.attaching import Attacher
from waitforweave.hooks.schedule import retry_delay

log = logging.getLogger(__name__)

# All that the engine knows, by id.
Containers = Callable[[], Awaitable[Mapping[str, bool]]]
Beside = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class GivingBack:
    """`beside` runs what takes its time, and looks after it."""

    def __init__(self, attacher: Attacher, beside: Beside) -> None:
        self.attacher = attacher
        self.beside = beside
        # Destroyed, and not looked for at the backend yet.
        self._gone: set[str] = set()
        self._collecting: asyncio.Task[None] | None = None

    def note(self, container: str) -> None:
        """It is destroyed."""
        self._gone.add(container)
        if self._collecting is None or self._collecting.done():
            self._collecting = self.beside(self.collect())

    async def leftovers(self, containers: Containers) -> None:
        """Give back what belongs to none of the engine's containers."""
        # In this order: whoever is attached from here on is in the engine's list for sure.
        held = await self.held()
        known = await containers()
        for container in held.keys() - known.keys():
            self.beside(self.give_back_later(container))

    async def held(self) -> Mapping[str, tuple[str, ...]]:
        """What the backend has; asked again and again until it can say."""
        failures = 0
        while True:
            try:
                return await self.attacher.threads.look(self.attacher.backend.list)
            except AttachError as error:
                log.error("what is given to whom cannot be read, so none is given back: %s", error)
                self.attacher.metrics.errors.labels("watcher").inc()
            failures += 1
            await asyncio.sleep(retry_delay(failures))

    async def collect(self) -> None:
        """Give back what destroyed containers had; one look at the backend for all that came
        until then, since it looks at every link there is."""
        while self._gone:
            gone = set(self._gone)
            # An attach that is under way may be in the books only after our look at them.
            busy = set(filter(self.attacher.threads.is_busy, gone))
            held = await self.held()
            self._gone -= gone
            for container in gone:
                if container in busy:
                    self.beside(self.give_back_later(container))
                elif container in held:
                    self.beside(self.give_back(container))

    async def give_back_later(self, container: str) -> None:
        """The same, where an attach still makes something for it, or nothing in the end."""
        await self.attacher.threads.quiet(container)
        if container in await self.held():
            await self.give_back(container)

    async def give_back(self, container: str) -> None:
        """Addresses and link of a container that is no more; again and again until they are."""
        failures = 0
        while not await self.is_detached(container):
            failures += 1
            await asyncio.sleep(retry_delay(failures))
            if container not in await self.held():
                return

    async def is_detached(self, container: str) -> bool:
        """Detach it; False where that failed."""
        detach = partial(self.attacher.backend.detach, container)
        try:
            addresses = await self.attacher.threads.run(detach)
        except AttachError as error:
            log.error("gone %s: its addresses stay taken: %s", container[:12], error)
            self.attacher.metrics.errors.labels("watcher").inc()
            return False
        log.info("gone %s: given back: %s", container[:12], " ".join(addresses))
        return True
