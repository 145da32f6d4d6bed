"""Bodies on their way from one side to the other, or into memory for adapters."""

from __future__ import annotations

import asyncio

from waitforweave.proxy.framing import Body, FramingError
from waitforweave.proxy.wakeup import Wakeup
from waitforweave.proxy.wire import Wire


class CutError(ConnectionError):
    """The sender is gone in the middle of a body."""


async def relay(source: Wire, sink: Wire, body: Body, head: bytes = b"") -> None:
    """Pass the head on at once, and the body as it comes, to its end. OSError, FramingError."""
    if body.ended or not source.has_ahead():
        # The client may wait for the head alone (`docker run` does for wait's), and the engine
        # for an Expect: 100-continue.
        await sink.write(head)
        head = b""
    while not body.ended and (data := await piece(source, body)):
        await sink.write(head + data if head else data)
        head = b""
        if not body.ended:
            await Through(source, sink, body).run()


class Through:
    """A body's bytes passed on where the loop tells that there are some, as long as the sink takes
    all at once. An engine's 1 GiB comes in 32,768 pieces: waking a task for each takes longer than
    passing them on."""

    def __init__(self, source: Wire, sink: Wire, body: Body) -> None:
        self._source, self._sink, self._body = source, sink, body
        self._wakeup = Wakeup(asyncio.get_running_loop())
        self._rest = b""
        self._failure: Exception | None = None

    async def run(self) -> None:
        """To the body's end, or what looks like the source's: that is the reader's to judge; or
        until the sink is slow. OSError, FramingError."""
        self._source.on_readable(self._step)
        try:
            await self._wakeup
        finally:
            self._source.on_readable(None)
        if self._failure is not None:
            raise self._failure
        await self._sink.write(self._rest)

    def _step(self) -> None:
        try:
            more = self._pass_on()
        except (OSError, FramingError) as error:
            self._failure, more = error, False
        if more:
            self._source.on_readable(self._step)
        else:
            self._wakeup.come()

    def _pass_on(self) -> bool:
        """What is there now, and whether to go on so."""
        data = self._source.read_now()
        if data is None:
            return True
        data = taken(self._source, self._body, data)
        self._rest = data[self._sink.write_now(data) :]
        return bool(data) and not self._rest and not self._body.ended


async def whole(source: Wire, body: Body, limit: int) -> bytes | None:
    """The body as it came, its framing included; None if it is longer than the limit."""
    pieces, length = [], 0
    while not body.ended and (data := await piece(source, body)):
        pieces.append(data)
        length += len(data)
        if length > limit:
            return None
    return b"".join(pieces)


async def piece(source: Wire, body: Body) -> bytes:
    """The body's next bytes; b"" where the connection's end is the body's. CutError elsewhere."""
    data = await source.read()
    if not data and body.cut():
        raise CutError("the connection ended in a body")
    return taken(source, body, data)


def taken(source: Wire, body: Body, data: bytes) -> bytes:
    """What is the body's of this; the rest is for whoever reads the source next."""
    length = body.take(data)
    if length < len(data):
        source.unread(data[length:])
        return data[:length]
    return data
