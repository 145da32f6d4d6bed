"""Attaching: the one way that the hook after start and the watcher of events both go."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from waitforweave.attach.backend import AttachError, Backend, Container
from waitforweave.docker.create import Decision, LeftAlone, decide_inspected
from waitforweave.docker.engine import Engine, EngineError
from waitforweave.docker.json_object import Object
from waitforweave.docker.original import is_wrapped
from waitforweave.gate.weave_cidr import Wanted, WeaveCidrError
from waitforweave.hooks.book import Attached, Book, Ended, Failed, Outcome, Run, run_of
from waitforweave.hooks.holder import name_holder
from waitforweave.hooks.live import Live
from waitforweave.hooks.metrics import Metrics

log = logging.getLogger(__name__)

ATTACH_SECONDS = 30.0
# No attach waits for another's (weave#2032), nor for one that hangs.
ATTACHES_AT_ONCE = 64

Result = TypeVar("Result")
Clock = Callable[[], float]


class Attacher:
    """One attach at a time for each container, all of them beside each other."""

    def __init__(self, engine: Engine, backend: Backend, clock: Clock = time.time) -> None:
        self.engine = engine
        self.backend = backend
        self.clock = clock
        self.live = Live(clock)
        self.book = Book(self.live.note)
        self.metrics = Metrics()
        self.metrics.waiting.set_function(self.book.waiting)
        self.pool = ThreadPoolExecutor(ATTACHES_AT_ONCE, "attach")
        self._tasks: dict[str, tuple[Run, asyncio.Task[Outcome]]] = {}
        # What a backend still does for a container, also for one that nobody waits for any more.
        self._threads: dict[str, asyncio.Future[tuple[str, ...]]] = {}

    async def see_to(self, name: str, cause: str, *, again: bool = False) -> Outcome:
        """Attach the container of this name if it runs and should be. EngineError.

        `again`: also where this very run was attached, in case that it was undone since.
        """
        asked = self.clock()
        container = await self.inspect(name)
        run = None if container is None else run_of(container)
        if container is None or run is None:
            log.info("%s %s: it has ended by itself", cause, name)
            return Ended()
        decision = decide(container)
        if isinstance(decision, LeftAlone):
            if self.book.leave_alone(run.id):
                log.info("%s %s: left alone: %s", cause, run, decision.reason)
            return decision
        settled = None if again else self.book.attached(run)
        if settled is not None:
            return settled
        self.live.begin(container, run, [word.text for word in decision.wanted])
        return await self.attach(run, decision.wanted, cause, asked)

    async def inspect(self, name: str) -> Object | None:
        """None for a container that is gone: --rm, and it ended by itself. EngineError."""
        try:
            return await self.engine.inspect_container(name)
        except EngineError as error:
            if error.status == 404:
                return None
            raise

    async def attach(self, run: Run, wanted: Sequence[Wanted], cause: str, asked: float) -> Outcome:
        """What comes of it; somebody's attach of the same run that is under way counts for all."""
        under_way = self._tasks.get(run.id)
        if under_way is not None and under_way[0] == run:
            return await asyncio.shield(under_way[1])
        self.book.begin(run, asked, self.clock())
        task = asyncio.create_task(self._counted(run, wanted, cause))
        self._tasks[run.id] = (run, task)
        task.add_done_callback(lambda _: self._forget(run))
        return await asyncio.shield(task)

    def _forget(self, run: Run) -> None:
        if run.id in self._tasks and self._tasks[run.id][0] == run:
            del self._tasks[run.id]

    async def _counted(self, run: Run, wanted: Sequence[Wanted], cause: str) -> Outcome:
        begun, result = time.monotonic(), "failed"
        try:
            outcome = await self._attach(run, wanted, cause)
            if isinstance(outcome, Attached):
                self.metrics.attach_seconds.observe(time.monotonic() - begun)
            result = type(outcome).__name__.lower()
        finally:
            self.metrics.attaches.labels(result).inc()
        return outcome

    async def _attach(self, run: Run, wanted: Sequence[Wanted], cause: str) -> Outcome:
        try:
            async with asyncio.timeout(ATTACH_SECONDS):
                addresses = await self._in_thread(run, wanted)
        except AttachError as error:
            return await self._failed(run, cause, await name_holder(self.engine, str(error)))
        except TimeoutError:
            return await self._failed(run, cause, f"not attached after {ATTACH_SECONDS:.0f} s")
        except Exception as error:
            self.book.settle(run, Failed(f"internal error: {error!r}", self.clock()))
            raise
        attached = Attached(addresses, self.clock())
        self.book.settle(run, attached)
        log.info("%s %s: attached %s", cause, run, " ".join(addresses))
        return attached

    async def _in_thread(self, run: Run, wanted: Sequence[Wanted]) -> tuple[str, ...]:
        """Given up, the thread goes on: into a namespace that ends with the container that was
        killed, and takes all that is in it along. The next attach waits for it."""
        await self.quiet(run.id)
        target = Container(run.id, run.pid)
        loop = asyncio.get_running_loop()
        thread = loop.run_in_executor(self.pool, self.backend.attach, target, wanted)
        self._threads[run.id] = thread
        thread.add_done_callback(lambda done: self._thread_done(run.id, done))
        return await asyncio.shield(thread)

    def _thread_done(self, container: str, thread: asyncio.Future[tuple[str, ...]]) -> None:
        if self._threads.get(container) is thread:
            del self._threads[container]
        if not thread.cancelled():
            thread.exception()  # Seen, also where nobody waits for it any more.

    def is_busy(self, container: str) -> bool:
        """Whether the backend does something for this container now."""
        return container in self._threads

    async def quiet(self, container: str) -> None:
        """Until the backend does nothing for this container any more."""
        while (thread := self._threads.get(container)) is not None:
            await asyncio.wait([thread])

    async def run_in_pool(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self.pool, work)

    async def _failed(self, run: Run, cause: str, reason: str) -> Outcome:
        """Failed, unless the run has ended meanwhile (weave#812).

        Another pid is another run of it: whoever started that one is told of that one's attach.
        """
        try:
            container = await self.inspect(run.id)
        except EngineError as error:
            log.warning("%s %s: cannot tell whether it runs: %s", cause, run, error)
        else:
            if container is None or run_of(container) != run:
                log.info("%s %s: it ended before it was attached: %s", cause, run, reason)
                self.book.strike_out(run.id)
                return Ended()
        failed = Failed(reason, self.clock())
        self.book.settle(run, failed)
        log.error("%s %s: not attached: %s", cause, run, reason)
        return failed


def decide(container: Object) -> Decision:
    """A WEAVE_CIDR that makes no sense was made past the proxy, or create would have refused it."""
    try:
        return decide_inspected(container, wrapped=is_wrapped(container))
    except WeaveCidrError as error:
        return LeftAlone(str(error))
