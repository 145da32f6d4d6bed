"""Waiting for an event: what waits goes on at once when it comes.

asyncio.Future tells a task that it may go on, and the task does so in the loop's next round, behind
one more look at all descriptors. That is a third of the time of a small call, which waits twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextvars import Context

Told = Callable[["Wakeup"], object]


class Wakeup:
    """To be awaited once, by one task; what asyncio.Task asks of a future is all that it is.

    `come` goes on with the task before it returns: it is for callbacks of the loop, not for what
    runs in a task itself.
    """

    __slots__ = ("_asyncio_future_blocking", "_cancelled", "_context", "_loop", "_told")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        # asyncio.isfuture: by this name a task knows what it can wait for.
        self._asyncio_future_blocking = False
        self._loop = loop
        self._told: Told | None = None
        self._context: Context | None = None
        self._cancelled = False

    def come(self) -> None:
        """The event is here."""
        told, self._told = self._told, None
        if told is not None:
            assert self._context is not None
            self._context.run(told, self)

    def __await__(self) -> Generator[Wakeup, None, None]:
        self._asyncio_future_blocking = True
        yield self

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def add_done_callback(self, told: Told, *, context: Context) -> None:
        self._told, self._context = told, context

    def cancel(self, msg: object = None) -> bool:
        """By the task, if it is cancelled: then nothing comes any more."""
        told, self._told = self._told, None
        if told is None:
            return False
        self._cancelled = True
        self._loop.call_soon(told, self, context=self._context)
        return True

    def result(self) -> None:
        if self._cancelled:
            raise asyncio.CancelledError
