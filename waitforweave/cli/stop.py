"""`weavewait stop`: all that launch brought up is taken away."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from pathlib import Path

import click

from waitforweave.cli.errors import term_as_interrupt, told
from waitforweave.cli.one_at_a_time import one_at_a_time
from waitforweave.cli.options import engine_option
from waitforweave.cli.progress import shown
from waitforweave.docker.engine import Engine
from waitforweave.launch import steps
from waitforweave.launch.gated import Gated


@click.command(short_help="Take away what launch has started and made.")
@engine_option
@click.option("--dry-run", is_flag=True, help="Only say what would be taken away, and from whom.")
def command(engine: str, dry_run: bool) -> None:
    """Take away hook server, proxy, volume container, and the networks that they made; and say
    which containers and images still begin with the gate, and what becomes of them.
    """
    if dry_run:
        with told("stop"):
            names, gated = asyncio.run(would_take_down(engine))
        click.echo("\n".join(lines_of("would take away", names, gated)))
        return
    with term_as_interrupt(), told("stop"), one_at_a_time("stop", engine):
        begun = time.monotonic()
        with shown("weavewait stop: taking all of it away"):
            names, gated = asyncio.run(take_down(engine))
        took = f" ({time.monotonic() - begun:.1f} s)" if names else ""
    first, *rest = lines_of("took away", names, gated)
    for line in (first + took, *rest, *left_in_shell(os.environ)):
        click.echo(f"weavewait stop: {line}", err=True)


def left_in_shell(environ: Mapping[str, str]) -> list[str]:
    """Where this shell's docker would go on asking for the proxy's socket."""
    host = environ.get("DOCKER_HOST", "")
    if not host.startswith("unix://"):
        return []
    try:
        Path(host.removeprefix("unix://")).stat()
    except FileNotFoundError:
        return [f"DOCKER_HOST names {host}, where nobody is any more: unset DOCKER_HOST"]
    except OSError:  # Who may not look there cannot tell.
        pass
    return []


async def take_down(url: str) -> tuple[list[str], Gated]:
    async with Engine(url) as engine:
        return await steps.stop(engine, url)


async def would_take_down(url: str) -> tuple[list[str], Gated]:
    async with Engine(url) as engine:
        return await steps.would_stop(engine, url)


def lines_of(verb: str, names: list[str], gated: Gated) -> list[str]:
    """What goes, what becomes of whom, and the ways out."""
    lines = [f"{verb} {', '.join(names)}" if names else "nothing is launched"]
    if gated.running:
        lines.append(f"gated and running: {', '.join(gated.running)}: run on, without ethwe")
    if gated.stopped:
        lines.append(f"gated and stopped: {', '.join(gated.stopped)}")
    if gated.running or gated.stopped:
        lines.append(
            "started again, a gated container waits for ethwe until its time is up (30 s by "
            "default), and ends with exit code 1"
        )
    if gated.images:
        lines.append(
            f"gated images: {', '.join(gated.images)}: straight at the engine no container of "
            "them starts"
        )
    if len(lines) > 1:
        lines.append("the ways out: weavewait launch again, or weavewait unwrap NAME for each")
    return lines
