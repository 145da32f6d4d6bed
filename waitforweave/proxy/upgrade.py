"""Hijacked connections: after the head, bytes in both directions and nothing else.

attach and exec/start answer 101 to a client that asks for an upgrade, and "200 OK" with a raw
stream to one that does not (moby: api/server/router/container, postContainersAttach); /session and
/grpc upgrade to h2c. EOF of one direction closes that direction only: stdin ends, and the output
still flows.
"""

from __future__ import annotations

import asyncio
import logging
import re

from waitforweave.docker.paths import VERSION, path_of
from waitforweave.proxy.framing import UntilClose
from waitforweave.proxy.heads import Request, Response, target_of, value_of
from waitforweave.proxy.relay import relay
from waitforweave.proxy.wire import Wire

log = logging.getLogger(__name__)

# Calls whose answer is a stream even without an upgrade, and which read what the client sends.
HIJACKED = re.compile(VERSION + r"/(?:containers/.+/attach|exec/.+/start)")
STREAMS = (b"application/vnd.docker.raw-stream", b"application/vnd.docker.multiplexed-stream")


def hijacks(request: Request, response: Response) -> bool:
    """Whether this answer turns the connection into a stream: by 101, or for an old client."""
    if response.status_code == 101:
        return True
    return (
        request.method == b"POST"
        and response.status_code == 200
        and value_of(response, b"content-type") in STREAMS
        and not value_of(response, b"content-length")
        and not value_of(response, b"transfer-encoding")
        and HIJACKED.fullmatch(path_of(target_of(request))) is not None
    )


async def splice(client: Wire, engine: Wire, response: Response) -> None:
    """Pass the head on, and then bytes both ways until both directions have ended, or a side is
    gone. What came along with the heads is the streams' beginning. OSError."""
    await client.write(response.came)
    flows = {
        asyncio.create_task(flow(client, engine)): client,
        asyncio.create_task(flow(engine, client)): engine,
    }
    tasks = set(flows)
    try:
        done, pending = await asyncio.wait(flows, return_when=asyncio.FIRST_COMPLETED)
        gone = {asyncio.create_task(flows[task].hung_up()) for task in done if pending}
        tasks |= gone
        if gone:
            await asyncio.wait(pending | gone, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def flow(source: Wire, sink: Wire) -> None:
    """One direction, to its end. Where one side has gone, the other direction still goes on; what
    is cut does not look as if it had ended."""
    try:
        await relay(source, sink, UntilClose())
    except OSError as error:
        log.debug("a stream's direction ended: %s", error)
    if source.broken:
        sink.break_off()
    else:
        sink.write_eof()
