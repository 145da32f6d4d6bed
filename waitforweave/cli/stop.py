"""`weavewait stop`: all that launch brought up is taken away."""

from __future__ import annotations

import asyncio

import click

from waitforweave.cli.errors import told
from waitforweave.cli.one_at_a_time import one_at_a_time
from waitforweave.cli.options import engine_option
from waitforweave.docker.engine import Engine
from waitforweave.launch import steps


@click.command(short_help="Take away what launch has started and made.")
@engine_option
def command(engine: str) -> None:
    """Take away hook server, proxy, volume container, and the networks that they made."""
    with told("stop"), one_at_a_time("stop", engine):
        gated = asyncio.run(take_down(engine))
    if gated:
        click.echo(
            f"weavewait stop: still gated: {', '.join(gated)}. Those that run keep running, "
            "without ethwe; started again they wait for it, until there is a launch.",
            err=True,
        )


async def take_down(url: str) -> list[str]:
    async with Engine(url) as engine:
        return await steps.stop(engine, url)
