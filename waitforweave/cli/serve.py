"""`weavewait serve`: the hook server, a Powerstrip adapter."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import click

from waitforweave.attach.backend import Backend
from waitforweave.cli.descriptors import open_many
from waitforweave.cli.errors import told
from waitforweave.cli.hook_options import (
    gate_all_option,
    hold_exec_option,
    page_option,
    show_addresses_option,
)
from waitforweave.cli.hook_server import Server, Sockets
from waitforweave.cli.listening import listening
from waitforweave.cli.network import Network, on_network
from waitforweave.cli.options import URL, image_option
from waitforweave.cli.serving import log_to_stderr
from waitforweave.docker.engine import Engine
from waitforweave.hooks.attaching import Attacher
from waitforweave.hooks.options import Options as HookOptions
from waitforweave.hooks.watcher import Watcher

log = logging.getLogger(__name__)


@click.command(short_help="The hook server: a Powerstrip adapter.")
@click.option(
    "--listen",
    type=URL,
    default="unix:///run/weavewait/hooks.sock",
    show_default=True,
    help="Where the proxy finds this adapter: POST /v1/extension. TCP only on loopback.",
)
@page_option
@on_network
@image_option
@hold_exec_option
@gate_all_option
@show_addresses_option
def command(
    network: Network,
    listen: str,
    page: str | None,
    image: str,
    hold_exec: bool,
    gate_all: bool,
    show_addresses: bool,
) -> None:
    """Answer a proxy's hooks: the gate before create, the network after start.

    Says on stderr, a line each, what was gated, attached or left alone, and why. Ends on TERM
    or INT with exit code 0.
    """
    log_to_stderr("serve")
    with told("serve"), listening(listen) as listener, page_socket(page) as page_listener:
        backend = network.backend()
        backend.prepare()
        hooks = HookOptions(image, network.kind, hold_exec, gate_all, show_addresses)
        sockets = Sockets((listener, listen), page_listener)
        open_many()
        asyncio.run(serve(Engine(network.engine), backend, hooks, sockets))


@contextmanager
def page_socket(url: str | None) -> Iterator[tuple[socket.socket, str] | None]:
    """The page's own, where one is asked for. ListenError."""
    if url is None:
        yield None
        return
    with listening(url) as listener:
        yield listener, url


async def serve(engine: Engine, backend: Backend, options: HookOptions, sockets: Sockets) -> None:
    """Serve until TERM or INT; the next one ends what the threads do still."""
    # uvicorn raises the signal again that ended it, so that the process dies of it; being told
    # to end is no failure here.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    watcher = Watcher(Attacher(engine, backend))
    server = Server(watcher, options, sockets)
    async with engine, watcher.watching(server.listening):
        await server.run_here()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    if under_way := watcher.attacher.threads.under_way():
        log.warning("attaches under way: %d; another signal ends them", under_way)
