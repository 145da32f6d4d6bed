"""`weavewait status`: what of a launch is there, and which containers are gated."""

from __future__ import annotations

import asyncio
import sys

import click

from waitforweave.cli.errors import told
from waitforweave.cli.options import engine_option
from waitforweave.docker.engine import Engine
from waitforweave.launch import steps


@click.command(short_help="What of a launch is there.")
@engine_option
def command(engine: str) -> None:
    """Say what runs, a line each. Exit code 0: all of a launch is there; 1: something is not."""
    with told("status"):
        parts = asyncio.run(look(engine))
    for part in parts:
        click.echo(f"{part.name:<18}{part.state}")
    sys.exit(0 if all(part.good for part in parts) else 1)


async def look(url: str) -> list[steps.Part]:
    async with Engine(url) as engine:
        return await steps.status(engine, url)
