"""The watcher: what starts without us is attached too, and what is gone is noted.

It follows the engine's events, and looks at everything once whenever a connection to them stands:
subscribe first, look second, so that nothing falls in between.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

from waitforweave.docker.engine import EngineError
from waitforweave.docker.replaced import end_if_replaced
from waitforweave.docker.url import parse_engine_url
from waitforweave.hooks import feed
from waitforweave.hooks.ahead import Ahead
from waitforweave.hooks.attaching import Attacher
from waitforweave.hooks.book import Failed
from waitforweave.hooks.feed import Event, Feed, Meaning
from waitforweave.hooks.giving_back import GivingBack
from waitforweave.hooks.process import is_gone, seconds
from waitforweave.hooks.schedule import reconnect_delay, retry_delay

log = logging.getLogger(__name__)

NANO = 1e9


class Watcher:
    """`connected`: the engine's events are followed now."""

    def __init__(self, attacher: Attacher) -> None:
        self.attacher = attacher
        self.metrics = attacher.metrics
        self.feed = Feed()
        self.ahead = Ahead(attacher)
        self.connected = False
        # What is being attached on our own account, until it is, or has ended.
        self._pursued: dict[str, asyncio.Task[None]] = {}
        self._others: set[asyncio.Task[None]] = set()
        # The looks at everything of the connection that stands.
        self._looks: list[asyncio.Task[None]] = []
        self.giving_back = GivingBack(attacher, self.beside)

    @asynccontextmanager
    async def watching(self, begin: asyncio.Event) -> AsyncIterator[None]:
        """Inside of the block the engine is watched, once `begin` is set."""
        task = asyncio.create_task(self.run(begin))
        try:
            with self.ahead.listening():
                yield
        finally:
            tasks = [task, *self._pursued.values(), *self._others]
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def run(self, begin: asyncio.Event) -> None:
        """For ever: an engine that is gone is awaited."""
        await begin.wait()
        failures = 0
        while True:
            try:
                await self.follow()
                reason = "the engine has ended"
            except EngineError as error:
                reason = str(error)
            except Exception:  # A fault of our own: whoever does not watch attaches nothing.
                log.exception("events: internal error")
                reason = "internal error"
            if self.connected or failures == 0:
                log.warning("events: %s; connecting again", reason)
                self.metrics.errors.labels("events").inc()
            failures = 1 if self.connected else failures + 1
            self.connect(False)
            end_if_replaced(parse_engine_url(self.attacher.engine.url))
            await asyncio.sleep(reconnect_delay(failures))

    def connect(self, connected: bool) -> None:
        self.connected = connected
        self.metrics.connected.set(connected)
        self.attacher.live.connect(connected)

    async def follow(self) -> None:
        """One connection, until it ends. EngineError."""
        path = feed.path(self.feed.since)
        async with self.attacher.engine.opened("GET", path) as chunks:
            self.feed.connected()
            self.connect(True)
            log.info("events: followed")
            self.look()
            async for chunk in chunks:
                for event in self.feed.read(chunk):
                    self.handle(event)

    def handle(self, event: Event) -> None:
        """Start what this event asks for; waits for nothing."""
        container = event.container
        self.metrics.event_lag.set(self.attacher.clock() - event.timeNano / NANO)
        if event.meaning is Meaning.MADE:
            self.beside(self.foresee(container, f"event {event.Action}"))
            return
        if event.meaning is Meaning.COMING:
            self.ahead.expect(container)
            return
        self.ahead.dismiss(container)
        if event.meaning is Meaning.PARTED:
            return
        if event.meaning is Meaning.ATTACH:
            if not self.attacher.covers(container, event.timeNano / NANO):
                self.pursue(container, f"event {event.Action}")
            return
        if event.meaning is Meaning.ENDED:
            self.attacher.live.end(container, event.timeNano / NANO, event.exit_code)
            if self.is_of_an_older_run(container, event.timeNano / NANO):
                return
        self.drop(container)
        if event.meaning is Meaning.GONE:
            self.attacher.forget(container)
            self.attacher.live.remove(container)
            self.giving_back.note(container)

    async def foresee(self, container: str, cause: str) -> None:
        try:
            await self.attacher.foresee(container, cause)
        except EngineError as error:
            log.info("%s %s: asked about when it is started: %s", cause, container[:12], error)

    def pursue(self, container: str, cause: str) -> None:
        """Attach it, again and again until it is, or has ended."""
        if self.attacher.book.is_left_alone(container):
            return
        self.give_up(container)
        task = asyncio.create_task(self._pursue(container, cause))
        self._pursued[container] = task
        task.add_done_callback(lambda done: self._pursued_done(container, done))

    async def _pursue(self, container: str, cause: str) -> None:
        failures = 0
        while await self.fails(container, cause):
            failures += 1
            delay = retry_delay(failures)
            self.attacher.book.again(container, self.attacher.clock() + delay)
            await asyncio.sleep(delay)
            cause = f"retry {failures} of"

    async def fails(self, container: str, cause: str) -> bool:
        """Whether it should be attached and could not be."""
        try:
            outcome = await self.attacher.see_to(container, cause)
        except EngineError as error:
            log.warning("%s %s: cannot be inspected: %s", cause, container[:12], error)
            return True
        except Exception:  # A fault of our own is no reason to forget the container.
            log.exception("%s %s: internal error", cause, container[:12])
            self.metrics.errors.labels("watcher").inc()
            return True
        return isinstance(outcome, Failed)

    def _pursued_done(self, container: str, task: asyncio.Task[None]) -> None:
        if self._pursued.get(container) is task:
            del self._pursued[container]
        log_fault(task)

    def give_up(self, container: str) -> None:
        """Try no more; an attach that is under way is nobody's to stop."""
        task = self._pursued.pop(container, None)
        if task is not None:
            task.cancel()

    def is_of_an_older_run(self, container: str, end: float) -> bool:
        """Whether the run that ended then is not the one in the book: a call came before events.
        That one is there still; by times alone, a clock that was set back would say so, too."""
        record = self.attacher.book.get(container)
        if record is None or is_gone(record.run.pid):
            return False
        started = seconds(record.run.started)
        return started is not None and end < started

    def drop(self, container: str) -> None:
        """It has ended: nothing is tried any more, but its addresses stay its own until it is
        destroyed, so that the next run gets them again."""
        self.give_up(container)
        self.attacher.end(container)

    def look(self) -> None:
        """At everything; a look that an earlier connection began is of no use any more."""
        for earlier in self._looks:
            earlier.cancel()
        self.ahead.dismiss_all()
        self._looks = [
            self.beside(self.look_around()),
            self.beside(self.giving_back.leftovers(self.containers)),
        ]

    async def look_around(self) -> None:
        """Attach what runs and should be."""
        asked, before = self.attacher.clock(), dict(self._pursued)
        running = await self.containers()
        runs = {container for container, is_running in running.items() if is_running}
        self.attacher.keep(running.keys(), runs, asked)
        for container in before.keys() - runs:
            if self._pursued.get(container) is before[container]:
                self.give_up(container)
        for container in runs - self._pursued.keys():
            self.pursue(container, "found")

    async def containers(self) -> Mapping[str, bool]:
        """All that the engine knows, and whether it runs; asked again and again until it can
        say."""
        failures = 0
        while True:
            try:
                return await self.attacher.engine.containers()
            except EngineError as error:
                log.warning("events: cannot list the containers: %s", error)
            failures += 1
            await asyncio.sleep(retry_delay(failures))

    def beside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._others.add(task)
        task.add_done_callback(self._others.discard)
        task.add_done_callback(log_fault)
        return task


def log_fault(task: asyncio.Task[None]) -> None:
    """A fault of our own in a task that nobody waits for is seen at least in the log."""
    if not task.cancelled() and task.exception() is not None:
        log.error("internal error", exc_info=task.exception())
