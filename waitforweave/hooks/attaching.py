"""Attaching: the one way that the hook after start and the watcher of events both go."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager, suppress

from waitforweave.attach.backend import AttachError, Backend, Container
from waitforweave.docker.create import Decision, LeftAlone, decide_inspected
from waitforweave.docker.engine import Engine, EngineError
from waitforweave.docker.json_object import Object
from waitforweave.docker.original import is_wrapped
from waitforweave.gate.weave_cidr import Wanted, WeaveCidrError
from waitforweave.hooks.begun import Attach, Begun, sets_interfaces
from waitforweave.hooks.book import (
    Attached,
    Book,
    Ended,
    Failed,
    Outcome,
    Run,
    name_of,
    run_of,
)
from waitforweave.hooks.holder import holder_has_ended, name_holder
from waitforweave.hooks.live import Live
from waitforweave.hooks.metrics import Metrics
from waitforweave.hooks.process import Process, is_gone, is_running, process_of
from waitforweave.hooks.threads import Threads

log = logging.getLogger(__name__)

ATTACH_SECONDS = 30.0
# How long the engine may take to note that a process has ended, and the kernel to take down what
# was its: asked again after each of these.
ENGINE_LATE_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)

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
        self.threads = Threads(backend, self.metrics.attach_seconds.observe)
        self.early = Begun(self.threads)
        self._tasks: dict[str, tuple[Run, asyncio.Task[Outcome]]] = {}
        # Containers that the engine is being asked about, until it is known what follows.
        self._asking: dict[str, asyncio.Future[None]] = {}

    async def see_to(self, name: str, cause: str, *, again: bool = False) -> Outcome:
        """Attach the container of this name if it runs and should be. EngineError.

        `again`: also where this very run was attached, in case that it was undone since.
        """
        known = await self.known(name, again=again)
        if known is not None:
            return known
        asked = self.clock()
        with self.asking(name):
            found = self.what_follows(await self.inspect(name), name, cause, asked, again=again)
        return found if not isinstance(found, asyncio.Task) else await asyncio.shield(found)

    async def known(self, container: str, *, again: bool) -> Outcome | None:
        """What comes of a container that was asked about already, or is just now: most calls come
        beside the engine's event for the same start, and its answer takes as long as the start.
        None where it has to be asked. `container` may be a name, which is not known."""
        if self.book.is_left_alone(container):
            return LeftAlone("as said before")
        if again:
            return None
        asking = self._asking.get(container)
        if asking is not None:
            await asyncio.wait([asking])
        record = self.book.get(container)
        if record is None or not is_running(record.run.pid, record.run.started):
            return None
        under_way = self._tasks.get(container)
        if under_way is not None and under_way[0] == record.run:
            return await asyncio.shield(under_way[1])
        return self.book.attached(record.run)

    @contextmanager
    def asking(self, name: str) -> Iterator[None]:
        """Inside, others who want to know about this container wait for what we hear."""
        answered = self._asking[name] = asyncio.get_running_loop().create_future()
        try:
            yield
        finally:
            answered.set_result(None)
            if self._asking.get(name) is answered:
                del self._asking[name]

    def what_follows(
        self, container: Object | None, name: str, cause: str, asked: float, *, again: bool
    ) -> Outcome | asyncio.Task[Outcome]:
        """What follows from the engine's answer: nothing more, or an attach that is under way."""
        run = None if container is None else run_of(container)
        if container is None or run is None:
            log.info("%s %s: it has ended by itself", cause, name)
            return Ended()
        decision = self.decided(container, cause)
        if isinstance(decision, LeftAlone):
            return decision
        settled = None if again else self.book.attached(run)
        if settled is not None:
            return settled
        self.live.begin(container, run, [word.text for word in decision.wanted])
        return self.attach(run, decision.wanted, cause, asked)

    def decided(self, container: Object, cause: str) -> Decision:
        """`decide`; what it wants, or that it is none of ours, is noted for good."""
        decision = decide(container)
        if not isinstance(decision, LeftAlone):
            if not sets_interfaces(container):
                self.book.promise(container["Id"], decision.wanted)
        elif self.book.leave_alone(container["Id"]):
            log.info("%s %s: left alone: %s", cause, name_of(container), decision.reason)
        return decision

    async def foresee(self, container: str, cause: str) -> None:
        """Note what it wants before it is started. Nobody's start waits for an answer then, of one
        that is none of ours, which has ended at once and answers when it is taken down; one that is
        ours can be attached while the engine still makes it. EngineError."""
        found = await self.inspect(container)
        if found is not None:
            self.decided(found, cause)

    async def inspect(self, name: str) -> Object | None:
        """None for a container that is gone: --rm, and it ended by itself. EngineError."""
        try:
            return await self.engine.inspect_container(name)
        except EngineError as error:
            if error.status == 404:
                return None
            raise

    def attach(
        self, run: Run, wanted: Sequence[Wanted], cause: str, asked: float
    ) -> asyncio.Task[Outcome]:
        """What comes of it; somebody's attach of the same run that is under way counts for all."""
        under_way = self._tasks.get(run.id)
        if under_way is not None and under_way[0] == run:
            return under_way[1]
        self.book.begin(run, asked, self.clock())
        task = asyncio.create_task(self._counted(run, wanted, cause))
        self._tasks[run.id] = (run, task)
        task.add_done_callback(lambda _: self._forget(run))
        return task

    def goes_ahead(self, container: str) -> bool:
        """Whether it can be attached before the engine says that it runs: we know what it wants,
        it does not run yet, and no such attach was begun (it may be connected to many networks)."""
        return (
            self.backend.by_process
            and bool(self.book.promised(container))
            and self.book.get(container) is None
            and container not in self.early
        )

    def begin_ahead(self, container: Container) -> None:
        """Attach it; the attach of its run takes what comes of that."""
        self.early.begin(container, self.book.promised(container.id))

    def _forget(self, run: Run) -> None:
        if run.id in self._tasks and self._tasks[run.id][0] == run:
            del self._tasks[run.id]

    async def _counted(self, run: Run, wanted: Sequence[Wanted], cause: str) -> Outcome:
        result = "failed"
        try:
            outcome = await self._attach(run, wanted, cause)
            result = type(outcome).__name__.lower()
        finally:
            self.metrics.attaches.labels(result).inc()
        return outcome

    async def _attach(self, run: Run, wanted: Sequence[Wanted], cause: str) -> Outcome:
        target = Container(run.id, run.pid)
        ahead = self.early.take(target)
        late = ahead is None and process_of(run.pid) is Process.COMMAND
        try:
            async with asyncio.timeout(ATTACH_SECONDS):
                addresses = await self._addresses(target, wanted, ahead)
        except AttachError as error:
            return await self._failed(run, cause, await name_holder(self.engine, str(error)))
        except TimeoutError:
            return await self._failed(run, cause, f"not attached after {ATTACH_SECONDS:.0f} s")
        except Exception as error:
            self.book.settle(run, Failed(f"internal error: {error!r}", self.clock()))
            raise
        attached = Attached(addresses, self.clock(), late)
        self.book.settle(run, attached)
        when = " ahead of its start" if ahead is not None else ""
        log.info("%s %s: attached %s%s", cause, run, " ".join(addresses), when)
        return attached

    async def _addresses(
        self, target: Container, wanted: Sequence[Wanted], ahead: Attach | None
    ) -> tuple[str, ...]:
        """What went wrong ahead goes wrong again, and is told of, or does not. AttachError."""
        if ahead is not None:
            with suppress(Exception):
                return await asyncio.shield(ahead)
        for seconds_more in ENGINE_LATE_SECONDS:
            try:
                return await self.threads.attach(target, wanted)
            except AttachError as error:
                if not await holder_has_ended(self.engine, str(error)):
                    raise
            await asyncio.sleep(seconds_more)
        return await self.threads.attach(target, wanted)

    def covers(self, container: str, event: float) -> bool:
        """Whether a start of that time tells us nothing new; one that came after the end of the
        run that we know does, whatever a clock that was set back says."""
        record = self.book.get(container)
        known = record is not None and not is_gone(record.run.pid)
        return known and self.book.covers(container, event)

    def is_over(self, container: str) -> bool:
        """Whether it was attached ahead of its start and has ended at once: the engine lets nobody
        look at it while it is taken down."""
        return self.early.addresses(container) is not None and self.early.has_ended(container)

    def end(self, container: str) -> None:
        """It has ended, maybe before the engine could say that it ran."""
        addresses = self.early.addresses(container)
        if addresses is not None:
            log.info("event die %s: had %s ahead of its start", container[:12], " ".join(addresses))
            self.metrics.attaches.labels("attached").inc()
        self.early.forget(container)
        self.book.strike_out(container)

    def forget(self, container: str) -> None:
        """It is destroyed."""
        self.book.forget(container)
        self.early.forget(container)

    def keep(self, existing: Set[str], running: Set[str], asked: float) -> None:
        """Nothing else is there, or runs, as the engine was `asked` then."""
        self.book.keep(existing, running, asked)
        self.live.keep(existing, running, asked)
        self.early.keep(existing)

    async def has_ended(self, run: Run) -> bool:
        """By the engine's word, which comes some moments after the process is gone; where its
        processes cannot be seen, what is gone for us alone stays running. EngineError."""
        for seconds_more in (*ENGINE_LATE_SECONDS, None):
            container = await self.inspect(run.id)
            if container is None or run_of(container) != run:
                return True
            if seconds_more is None or not is_gone(run.pid):
                break
            await asyncio.sleep(seconds_more)
        return False

    async def _failed(self, run: Run, cause: str, reason: str) -> Outcome:
        """Failed, unless the run has ended meanwhile (weave#812).

        Another pid is another run of it: whoever started that one is told of that one's attach.
        """
        try:
            ended = await self.has_ended(run)
        except EngineError as error:
            log.warning("%s %s: cannot tell whether it runs: %s", cause, run, error)
        else:
            if ended:
                log.info("%s %s: it ended before it was attached: %s", cause, run, reason)
                self.book.end(run)
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
