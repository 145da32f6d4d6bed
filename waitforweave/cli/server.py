"""uvicorn for `weavewait serve`: the hooks on one socket, the page on another if asked for."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass

import click
import uvicorn
from starlette.applications import Starlette

from waitforweave.cli.notify import notify_ready
from waitforweave.cli.options import web_address
from waitforweave.hooks.app import make_app, make_page_app
from waitforweave.hooks.impatient import ImpatientProtocol
from waitforweave.hooks.options import Options
from waitforweave.hooks.watcher import Watcher


@dataclass(frozen=True)
class Sockets:
    """Where we listen, and the URL that says so."""

    hooks: tuple[socket.socket, str]
    page: tuple[socket.socket, str] | None = None


class Server(uvicorn.Server):
    """uvicorn, that says when it listens, in our words."""

    def __init__(self, watcher: Watcher, options: Options, sockets: Sockets) -> None:
        super().__init__(configured(make_app(watcher, options)))
        self._live = watcher.attacher.live
        self._page_config = configured(make_page_app(watcher, options))
        self._sockets = sockets
        self.listening = asyncio.Event()

    async def run_here(self) -> None:
        """Until TERM or INT."""
        await self.serve([self._sockets.hooks[0]])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._sockets.page is not None:
            listener, url = self._sockets.page
            loop = asyncio.get_running_loop()
            # Another application behind another socket, ended with this one's.
            self.servers.append(await loop.create_server(self._page_protocol, sock=listener))
            click.echo(f"weavewait serve: page at {web_address(url)}", err=True)
        click.echo(f"weavewait serve: listening on {self._sockets.hooks[1]}", err=True)
        notify_ready()
        self.listening.set()

    def _page_protocol(self) -> asyncio.Protocol:
        return ImpatientProtocol(self._page_config, self.server_state, {})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn would wait for the streams, which do not end by themselves.
        self._live.close()
        await super().shutdown(sockets)


def configured(app: Starlette) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http=ImpatientProtocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    config.load()
    return config
