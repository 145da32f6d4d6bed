"""Bodies on their way from one side to the other, or into memory for adapters."""

from __future__ import annotations

from waitforweave.proxy.framing import Body
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
    taken = body.take(data)
    if taken < len(data):
        source.unread(data[taken:])
        return data[:taken]
    return data
