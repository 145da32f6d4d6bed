"""The listeners: a task for each client's connection, all ended in order."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from waitforweave.docker.url import EngineUrl
from waitforweave.proxy import tls, wire
from waitforweave.proxy.chain import Adapters
from waitforweave.proxy.connection import Proxy
from waitforweave.proxy.reload import RulesFile

log = logging.getLogger(__name__)

# Between tries where accept(2) fails for want of descriptors or memory (asyncio waits as long).
ACCEPT_AGAIN_SECONDS = 1.0


@dataclass(frozen=True)
class Secured:
    """TLS, where it is spoken: to the engine, and with clients on TCP."""

    engine: ssl.SSLContext | None = None
    clients: ssl.SSLContext | None = None


async def serve(
    listeners: Sequence[socket.socket],
    engine: EngineUrl,
    file: RulesFile,
    secured: Secured,
    ready: Callable[[], None],
) -> None:
    """Serve until TERM or INT; `ready` is called when clients can come."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with Adapters() as adapters:
        there = None if secured.engine is None else tls.Engine(engine, secured.engine)
        proxy = Proxy(engine, file.rules, adapters, there)
        tasks: set[asyncio.Task[None]] = set()
        for listener in listeners:
            secure = None if listener.family == socket.AF_UNIX else secured.clients
            tasks.add(asyncio.create_task(accept(listener, proxy, tasks, secure)))
        with file.following(proxy.use):
            ready()
            await stop.wait()
        # The calls that are under way end with us: their clients see the connection close.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def accept(
    listener: socket.socket,
    proxy: Proxy,
    tasks: set[asyncio.Task[None]],
    secure: ssl.SSLContext | None = None,
) -> None:
    """Clients of one listener, for ever; each one's task is among `tasks` while it lasts."""
    loop = asyncio.get_running_loop()
    told = False
    while True:
        try:
            sock, _ = await loop.sock_accept(listener)
        except OSError as error:
            if not told:
                log.warning("cannot accept a client: %s", error.strerror)
            told = True
            await asyncio.sleep(ACCEPT_AGAIN_SECONDS)
            continue
        told = False
        wire.set_up(sock)
        serving = tls.serve(sock, secure, proxy.serve) if secure else proxy.serve(wire.Wire(sock))
        task = loop.create_task(serving)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        await asyncio.sleep(0)  # A crowd at the door does not hold up who is in.
