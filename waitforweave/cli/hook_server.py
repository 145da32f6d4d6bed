"""The server of `weavewait serve`: the hooks on one socket, the page on another if asked for."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass

import click

from waitforweave.cli import serving
from waitforweave.cli.options import web_address
from waitforweave.cli.serving import configured
from waitforweave.hooks.app import make_app, make_page_app
from waitforweave.hooks.impatient import ImpatientProtocol
from waitforweave.hooks.options import Options
from waitforweave.hooks.watcher import Watcher


@dataclass(frozen=True)
class Sockets:
    """Where we listen, and the URL that says so."""

    hooks: tuple[socket.socket, str]
    page: tuple[socket.socket, str] | None = None


class Server(serving.Server):
    """Ends the page's streams before it waits for all calls to end."""

    def __init__(self, watcher: Watcher, options: Options, sockets: Sockets) -> None:
        super().__init__(make_app(watcher, options), "serve", sockets.hooks[1])
        self._live = watcher.attacher.live
        self._page_config = configured(make_page_app(watcher, options))
        self._sockets = sockets

    async def run_here(self) -> None:
        """Until TERM or INT."""
        await self.serve([self._sockets.hooks[0]])

    async def open_more(self) -> None:
        if self._sockets.page is None:
            return
        listener, url = self._sockets.page
        loop = asyncio.get_running_loop()
        # Another application behind another socket, ended with this one's.
        self.servers.append(await loop.create_server(self._page_protocol, sock=listener))
        click.echo(f"weavewait serve: page at {web_address(url)}", err=True)

    def _page_protocol(self) -> asyncio.Protocol:
        return ImpatientProtocol(self._page_config, self.server_state, {})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn would wait for the streams, which do not end by themselves.
        self._live.close()
        await super().shutdown(sockets)
