"""Hijacked connections: after the head, bytes in both directions and nothing else.

attach and exec/start answer 101 to a client that asks for an upgrade, and "200 OK" with a raw
stream to one that does not (moby: api/server/router/container, postContainersAttach); /session and
/grpc upgrade to h2c. EOF of one direction closes that direction only: stdin ends, and the output
still flows.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress

import h11

from waitforweave.proxy.wire import CHUNK, Wire, raw, value_of

# Calls whose answer is a stream even without an upgrade, and which read what the client sends.
HIJACKED = re.compile(r"(?:/v\d+\.\d+)?/(?:containers/[^/]+/attach|exec/[^/]+/start)")
STREAMS = (b"application/vnd.docker.raw-stream", b"application/vnd.docker.multiplexed-stream")


def hijacks(method: bytes, target: bytes, response: h11.Response) -> bool:
    """Whether this answer, no 101, makes the connection a stream: old clients' attach and exec."""
    path = target.decode("ascii").partition("?")[0]
    headers = raw(response.headers)
    framed = value_of(headers, b"content-length") or value_of(headers, b"transfer-encoding")
    return (
        method == b"POST"
        and HIJACKED.fullmatch(path) is not None
        and response.status_code == 200
        and not framed
        and value_of(headers, b"content-type") in STREAMS
    )


def head(response: h11.InformationalResponse | h11.Response) -> bytes:
    """The head as it came: h11 would frame what has no frame."""
    lines = [b"HTTP/1.1 %d %s" % (response.status_code, response.reason)]
    lines += [b"%s: %s" % header for header in raw(response.headers)]
    return b"\r\n".join([*lines, b"", b""])


async def splice(
    client: Wire, engine: Wire, response: h11.InformationalResponse | h11.Response
) -> None:
    """Pass the head on, and then bytes both ways until both directions have ended."""
    # What came along with the heads is the stream's beginning, on both sides.
    to_client, to_engine = engine.rest(), client.rest()
    await client.write(head(response) + to_client)
    if to_engine:
        await engine.write(to_engine)
    async with asyncio.TaskGroup() as both:
        both.create_task(flow(client, engine))
        both.create_task(flow(engine, client))


async def flow(source: Wire, sink: Wire) -> None:
    """One direction, to its end. ConnectionError when the sink is gone."""
    while data := await source.reader.read(CHUNK):
        await sink.write(data)
    with suppress(OSError):  # The sink's side may have gone altogether meanwhile.
        if sink.writer.can_write_eof():
            sink.writer.write_eof()
