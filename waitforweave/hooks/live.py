"""The live page's feed: all stories at once, then whichever became another, as server-sent events.

What waits for a browser is a set of ids, whose newest stories it gets: however slow it is, it holds
no more than that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence, Set
from contextlib import contextmanager

import msgspec

from waitforweave import __version__
from waitforweave.docker.json_object import Object
from waitforweave.hooks.becoming import Becoming
from waitforweave.hooks.book import Record, Run
from waitforweave.hooks.process import Process
from waitforweave.hooks.story import Story
from waitforweave.hooks.timeline import Timeline

MOST_CLIENTS = 32
# A comment now and then: whoever is between us and the browser sees that the stream is alive.
HEARTBEAT_SECONDS = 20.0
HEARTBEAT = b": alive\n\n"
# What changes within that time goes out together.
PAUSE_SECONDS = 0.1
# How soon a browser comes again whose stream broke.
RETRY = b"retry: 2000\n\n"


class TooManyError(Exception):
    """As many pages are open as may be."""


class Client:
    """One open page: whose stories it does not have yet."""

    def __init__(self) -> None:
        self.pending: dict[str, None] = {}
        self.wake = asyncio.Event()

    def take(self) -> list[str]:
        taken, self.pending = list(self.pending), {}
        self.wake.clear()
        return taken


class Live:
    """Told by the hooks what happens; costs next to nothing while no page is open."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.timeline = Timeline(clock, self._changed)
        self.becoming = Becoming(self._seen)
        self.clients: set[Client] = set()
        self.engine = False
        self._closed = False

    def begin(self, container: Object, run: Run, promised: Sequence[str]) -> None:
        """This run is to be attached."""
        self.timeline.begin(container, run, promised)
        story = self.timeline.get(run.id)
        if story is not None and story.gated and not story.running:
            self.becoming.follow(run.id, run.pid)

    def note(self, container: str, record: Record | None) -> None:
        """The book says this of it now; None: it has ended."""
        if record is None:
            self.becoming.leave(container)
        self.timeline.note(container, record)

    def end(self, container: str, at: float, code: int | None) -> None:
        self.timeline.end(container, at, code)

    def remove(self, container: str) -> None:
        self.becoming.leave(container)
        self.timeline.remove(container)

    def keep(self, existing: Set[str], running: Set[str], asked: float) -> None:
        self.timeline.keep(existing, running, asked)

    def connect(self, connected: bool) -> None:
        """Whether the engine's events are followed now."""
        self.engine = connected
        for client in self.clients:
            client.wake.set()

    def close(self) -> None:
        """Every stream ends now."""
        self._closed = True
        self.becoming.close()
        for client in self.clients:
            client.wake.set()

    def _seen(self, container: str, process: Process) -> None:
        self.timeline.see(container, process)

    def _changed(self, container: str) -> None:
        for client in self.clients:
            client.pending[container] = None
            client.wake.set()

    @property
    def full(self) -> bool:
        return len(self.clients) >= MOST_CLIENTS

    @contextmanager
    def joined(self) -> Iterator[Client]:
        """Inside, a page is open. TooManyError."""
        if self.full:
            raise TooManyError
        client = Client()
        self.clients.add(client)
        try:
            yield client
        finally:
            self.clients.discard(client)

    async def stream(self) -> AsyncIterator[bytes]:
        """What is now, then what changes, until we close."""
        try:
            with self.joined() as client:
                async for event in self._events(client):
                    yield event
        except TooManyError:
            return

    async def _events(self, client: Client) -> AsyncIterator[bytes]:
        self.becoming.look()
        client.take()
        yield RETRY + self.event("all", list(self.timeline), [])
        while not self._closed:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await client.wake.wait()
            except TimeoutError:
                yield HEARTBEAT
                continue
            if self._closed:
                return
            ids = client.take()
            stories = [self.timeline.get(container) for container in ids]
            rows = [story for story in stories if story is not None]
            gone = [id_ for id_, story in zip(ids, stories, strict=True) if story is None]
            yield self.event("some", rows, gone)
            await asyncio.sleep(PAUSE_SECONDS)

    def event(self, name: str, rows: list[Story], gone: list[str]) -> bytes:
        """One event; JSON has no line breaks of its own."""
        value = {
            "now": self.clock(),
            "engine": self.engine,
            "version": __version__,
            "rows": rows,
            "gone": gone,
        }
        return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(value))
