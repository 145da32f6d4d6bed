"""The real page server in a thread of its own; the test plays the containers."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.page.scenes import Clock
from tests.unit.hooks.conftest import FakeBackend, FakeEngine, as_backend
from waitforweave.cli.hook_server import Server, Sockets
from waitforweave.cli.listening import listening
from waitforweave.docker.engine import Engine
from waitforweave.hooks.attaching import Attacher
from waitforweave.hooks.live import Live
from waitforweave.hooks.options import Options
from waitforweave.hooks.watcher import Watcher

PATIENCE_SECONDS = 20.0


class Stage:
    """`live` is the server's; it may be touched by `do` only."""

    def __init__(self, url: str, live: Live, loop: asyncio.AbstractEventLoop) -> None:
        self.url = url
        self.live = live
        self._loop = loop

    def do(self, *works: Callable[[Live], None]) -> None:
        """In the server's own thread, one after the other without a pause; back when done."""

        async def called() -> None:
            for work in works:
                work(self.live)

        asyncio.run_coroutine_threadsafe(called(), self._loop).result(PATIENCE_SECONDS)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def staged(folder: Path, clock: Clock, port: int = 0) -> Iterator[Stage]:
    """A server whose engine is followed, and which has no containers yet."""
    page = f"tcp://127.0.0.1:{port or free_port()}"
    hooks = f"unix://{folder}/hooks.sock"
    ready: dict[str, Any] = {}
    standing = threading.Event()

    async def main() -> None:
        import httpx

        engine = Engine("unix:///engine.sock", httpx.MockTransport(FakeEngine().handle))
        attacher = Attacher(engine, as_backend(FakeBackend()), clock)
        attacher.live.connect(True)
        with listening(hooks) as one, listening(page) as other:
            sockets = Sockets((one, hooks), (other, page))
            server = Server(Watcher(attacher), Options("i"), sockets)
            ready.update(server=server, live=attacher.live, loop=asyncio.get_running_loop())
            task = asyncio.create_task(server.run_here())
            await server.listening.wait()
            standing.set()
            await task

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    try:
        assert standing.wait(PATIENCE_SECONDS)
        yield Stage(page.replace("tcp://", "http://"), ready["live"], ready["loop"])
    finally:
        ready["server"].should_exit = True
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
