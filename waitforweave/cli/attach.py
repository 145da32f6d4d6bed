"""`weavewait attach`: by hand what the start hook does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from waitforweave.attach.backend import AttachError, Container
from waitforweave.attach.choose import make_backend
from waitforweave.cli.errors import told
from waitforweave.cli.options import backend_option, engine_option, state_option, subnet_option
from waitforweave.docker.engine import Engine, EngineError
from waitforweave.gate.weave_cidr import WeaveCidrError, parse


@click.command(short_help="Give a running container its ethwe, by hand.")
@engine_option
@backend_option
@subnet_option
@state_option
@click.argument("cidrs", metavar="[CIDR]...", nargs=-1)
@click.argument("container")
def command(
    engine: str, backend: str, subnet: str, state: Path, cidrs: tuple[str, ...], container: str
) -> None:
    """Give a running CONTAINER the interface ethwe with these addresses, and print them.

    CIDR is a word of WEAVE_CIDR: 10.2.1.5/24, net:10.2.2.0/24 or net:default, which is what a
    container gets where none is named. Attaching again changes nothing.
    """
    try:
        wanted = parse(" ".join(cidrs))
    except WeaveCidrError as error:
        raise click.UsageError(str(error).removeprefix("WEAVE_CIDR: ")) from error
    if not wanted:
        raise click.UsageError('"none" leaves nothing to attach')
    with told("attach"):
        target = asyncio.run(running(engine, container))
        network = make_backend(backend, subnet=subnet, state=state)
        network.prepare()
        attached = network.attach(target, wanted)
    # As `weave attach` prints them: without the prefix length.
    click.echo(" ".join(cidr.split("/")[0] for cidr in attached))


async def running(url: str, name: str) -> Container:
    """The container of this name. AttachError, in Weave's own words, for one that cannot be."""
    found = await inspected(url, name)
    identity: str = found["Id"]
    if not found["State"]["Running"]:
        raise AttachError(f"container {identity[:12]} not running")
    return Container(identity, found["State"]["Pid"])


async def inspected(url: str, name: str) -> dict[str, Any]:
    async with Engine(url) as engine:
        try:
            return await engine.inspect_container(name)
        except EngineError as error:
            raise AttachError(f"unable to inspect container {name}: {error}") from error
