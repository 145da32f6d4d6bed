"""`weavewait serve`: the hook server, a Powerstrip adapter."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from pathlib import Path

import click
import uvicorn
from starlette.applications import Starlette

from waitforweave.attach.choose import make_backend
from waitforweave.cli.errors import told
from waitforweave.cli.listening import listening
from waitforweave.cli.notify import notify_ready
from waitforweave.cli.options import (
    URL,
    backend_option,
    engine_option,
    image_option,
    state_option,
    subnet_option,
)
from waitforweave.docker.engine import Engine
from waitforweave.hooks.app import make_app


@click.command()
@engine_option
@click.option(
    "--listen",
    type=URL,
    default="unix:///run/weavewait/hooks.sock",
    show_default=True,
    help="Where the proxy finds this adapter: POST /v1/extension. TCP only on loopback.",
)
@backend_option
@subnet_option
@state_option
@image_option
def command(engine: str, listen: str, backend: str, subnet: str, state: Path, image: str) -> None:
    """Answer a proxy's hooks: the gate before create, the network after start.

    Says on stderr, a line each, what was gated, attached or left alone, and why. Ends on TERM
    or INT with exit code 0.
    """
    logging.basicConfig(level=logging.INFO, format="weavewait serve: %(message)s")
    # httpx would log each of our calls to the engine.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with told("serve"), listening(listen) as listener:
        attach = make_backend(backend, subnet=subnet, state=state)
        attach.prepare()
        asyncio.run(serve(make_app(Engine(engine), attach, image), listener, listen))


class Server(uvicorn.Server):
    """uvicorn, that says when it listens, in our words."""

    def __init__(self, config: uvicorn.Config, url: str) -> None:
        super().__init__(config)
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        click.echo(f"weavewait serve: listening on {self._url}", err=True)
        notify_ready()


async def serve(app: Starlette, listener: socket.socket, url: str) -> None:
    """Serve until TERM or INT."""
    config = uvicorn.Config(
        app,
        http="h11",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    # uvicorn raises the signal again that ended it, so that the process dies of it; being told
    # to end is no failure here.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    await Server(config, url).serve([listener])
