"""Two things at once, where one of them leads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType

from waitforweave.proxy.wire import Wire

Side = Coroutine[object, None, None]


class Beside:
    """What runs beside a block: its error ends the block and comes out of it, its end means
    nothing, and the block's end ends it.

        async with Beside() as beside:
            beside.start(upload())
            await download()

    (A TaskGroup would wait for it, and could not be begun from a callback.)
    """

    def __init__(self) -> None:
        self._main = asyncio.current_task()
        self._side: asyncio.Task[None] | None = None
        self._watched: Wire | None = None
        self._stopped = False

    def start(self, side: Side) -> None:
        """Begin what runs beside the block; once."""
        assert self._side is None
        self._side = asyncio.create_task(side)
        self._side.add_done_callback(self._ended)

    def start_when_readable(self, wire: Wire, side: Callable[[], Side]) -> None:
        """The same as soon as there is something to read, or the end: until then it costs no task,
        and most calls are over before their client says anything more."""
        self._watched = wire
        wire.on_readable(lambda: self.start(side()))

    async def stop(self) -> None:
        """End what runs beside; the wire is then the block's to read."""
        self._stopped = True
        if self._watched is not None:
            self._watched.on_readable(None)
        if self._side is not None:
            self._side.cancel()
            await asyncio.wait([self._side])

    async def __aenter__(self) -> Beside:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()
        failure = failure_of(self._side) if self._side is not None else None
        if failure is not None and isinstance(error, asyncio.CancelledError):
            assert self._main is not None
            self._main.uncancel()
            raise failure from None

    def _ended(self, side: asyncio.Task[None]) -> None:
        # The loop tells of an end a round later: the block may be over by then.
        if not self._stopped and failure_of(side) is not None:
            assert self._main is not None
            self._main.cancel()


def failure_of(task: asyncio.Task[None]) -> BaseException | None:
    return None if task.cancelled() else task.exception()
