"""The listeners: a task for each client's connection, all ended in order."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Sequence

from waitforweave.docker.url import EngineUrl
from waitforweave.proxy.adapters import Endpoint
from waitforweave.proxy.chain import Adapters
from waitforweave.proxy.exchange import Proxy


async def serve(
    listeners: Sequence[socket.socket],
    engine: EngineUrl,
    endpoints: Sequence[Endpoint],
    ready: Callable[[], None],
) -> None:
    """Serve until TERM or INT; `ready` is called when clients can come."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with Adapters() as adapters:
        proxy = Proxy(engine, endpoints, adapters)
        servers = [await asyncio.start_server(proxy.serve, sock=sock) for sock in listeners]
        ready()
        await stop.wait()
        for server in servers:
            server.close()
        await end_connections()


async def end_connections() -> None:
    """The calls that are under way end with us: their clients see the connection close."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
