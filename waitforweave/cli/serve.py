"""`weavewait serve`: the hook server, a Powerstrip adapter."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket

import click
import uvicorn
from starlette.applications import Starlette

from waitforweave.attach.backend import Backend
from waitforweave.cli.errors import told
from waitforweave.cli.hook_options import (
    gate_all_option,
    hold_exec_option,
    show_addresses_option,
)
from waitforweave.cli.listening import listening
from waitforweave.cli.network import Network, on_network
from waitforweave.cli.notify import notify_ready
from waitforweave.cli.options import URL, image_option
from waitforweave.docker.engine import Engine
from waitforweave.hooks.app import make_app
from waitforweave.hooks.attaching import Attacher
from waitforweave.hooks.impatient import ImpatientProtocol
from waitforweave.hooks.options import Options as HookOptions
from waitforweave.hooks.watcher import Watcher


@click.command(short_help="The hook server: a Powerstrip adapter.")
@click.option(
    "--listen",
    type=URL,
    default="unix:///run/weavewait/hooks.sock",
    show_default=True,
    help="Where the proxy finds this adapter: POST /v1/extension. TCP only on loopback.",
)
@on_network
@image_option
@hold_exec_option
@gate_all_option
@show_addresses_option
def command(
    network: Network,
    listen: str,
    image: str,
    hold_exec: bool,
    gate_all: bool,
    show_addresses: bool,
) -> None:
    """Answer a proxy's hooks: the gate before create, the network after start.

    Says on stderr, a line each, what was gated, attached or left alone, and why. Ends on TERM
    or INT with exit code 0.
    """
    log_to_stderr()
    with told("serve"), listening(listen) as listener:
        backend = network.backend()
        backend.prepare()
        hooks = HookOptions(image, network.kind, hold_exec, gate_all, show_addresses)
        asyncio.run(serve(Engine(network.engine), backend, hooks, listener, listen))


class OneLine(logging.Formatter):
    """Each message on a line of its own, whatever names and errors are quoted in it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        message = super().formatMessage(record)
        return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in message)


def log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine("weavewait serve: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # httpx would log each of our calls to the engine, uvicorn each step of its own start and end.
    for name in ("httpx", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)


class Server(uvicorn.Server):
    """uvicorn, that says when it listens, in our words."""

    def __init__(self, config: uvicorn.Config, url: str) -> None:
        super().__init__(config)
        self._url = url
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        click.echo(f"weavewait serve: listening on {self._url}", err=True)
        notify_ready()
        self.listening.set()


async def serve(
    engine: Engine, backend: Backend, options: HookOptions, listener: socket.socket, url: str
) -> None:
    """Serve until TERM or INT."""
    # uvicorn raises the signal again that ended it, so that the process dies of it; being told
    # to end is no failure here.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    watcher = Watcher(Attacher(engine, backend))
    server = Server(configured(make_app(watcher, options)), url)
    async with engine, watcher.watching(server.listening):
        await server.serve([listener])


def configured(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=ImpatientProtocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
