"""What adapters of ours have in common as programs: uvicorn on a socket of ours, lines for logs."""

from __future__ import annotations

import asyncio
import logging
import socket

import click
import uvicorn
from starlette.types import ASGIApp

from waitforweave.cli.notify import notify_ready
from waitforweave.hooks.impatient import ImpatientProtocol


def printable(text: str) -> str:
    """On one line, whatever names and errors are quoted in it."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


class OneLine(logging.Formatter):
    """Each message on a line of its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return printable(super().formatMessage(record))


def log_to_stderr(name: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine(f"weavewait {name}: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # httpx would log each of our calls to the engine, uvicorn each step of its own start and end.
    for library in ("httpx", "uvicorn"):
        logging.getLogger(library).setLevel(logging.WARNING)


class Server(uvicorn.Server):
    """uvicorn, that says when it listens, in the words of the command of this name."""

    def __init__(self, app: ASGIApp, name: str, url: str) -> None:
        super().__init__(configured(app))
        self._name = name
        self._url = url
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        await self.open_more()
        click.echo(f"weavewait {self._name}: listening on {self._url}", err=True)
        notify_ready()
        self.listening.set()

    async def open_more(self) -> None:
        """What else is to listen, before we say that we do."""


def configured(app: ASGIApp) -> uvicorn.Config:
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
