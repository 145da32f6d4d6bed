"""The backend's calls, which block, in threads: one attach at a time for each container."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from waitforweave.attach.backend import Backend, Container
from waitforweave.gate.weave_cidr import Wanted

# No attach waits for another's (weave#2032), nor for one that hangs.
ATTACHES_AT_ONCE = 64
# Who only looks waits for no attach either. Nor does the engine for so many questions at once.
LOOKS_AT_ONCE = 8

Result = TypeVar("Result")


class Threads:
    """Those of one backend. `took` hears how many seconds each attach took that succeeded."""

    def __init__(self, backend: Backend, took: Callable[[float], None]) -> None:
        self.backend = backend
        self.took = took
        self.pool = ThreadPoolExecutor(ATTACHES_AT_ONCE, "attach")
        self.looks = ThreadPoolExecutor(LOOKS_AT_ONCE, "look")
        self.asked = asyncio.Semaphore(LOOKS_AT_ONCE)
        # What is still done for a container, also for one that nobody waits for any more.
        self._attaches: dict[str, asyncio.Future[tuple[str, ...]]] = {}

    async def attach(self, container: Container, wanted: Sequence[Wanted]) -> tuple[str, ...]:
        """See Backend.attach. Given up, the thread goes on: into a namespace that ends with the
        container that was killed, and takes all that is in it along. The next attach waits for it.
        """
        await self.quiet(container.id)
        begun = time.monotonic()
        loop = asyncio.get_running_loop()
        attach = loop.run_in_executor(self.pool, self.backend.attach, container, wanted)
        self._attaches[container.id] = attach
        attach.add_done_callback(lambda done: self._done(container.id, done))
        addresses = await asyncio.shield(attach)
        self.took(time.monotonic() - begun)
        return addresses

    def _done(self, container: str, attach: asyncio.Future[tuple[str, ...]]) -> None:
        if self._attaches.get(container) is attach:
            del self._attaches[container]
        if not attach.cancelled():
            attach.exception()  # Seen, also where nobody waits for it any more.

    def is_busy(self, container: str) -> bool:
        """Whether something is made for this container now."""
        return container in self._attaches

    def under_way(self) -> int:
        """For how many containers something is made now."""
        return len(self._attaches)

    async def quiet(self, container: str) -> None:
        """Until nothing is made for this container any more."""
        while (attach := self._attaches.get(container)) is not None:
            await asyncio.wait([attach])

    async def run(self, work: Callable[[], Result]) -> Result:
        """What `work` gives or raises, in an attach's place."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, work)

    async def look(self, work: Callable[[], Result]) -> Result:
        """The same, of work that changes nothing."""
        return await asyncio.get_running_loop().run_in_executor(self.looks, work)
