"""`weavewait attach`: by hand what the start hook does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import click

from waitforweave.attach.backend import AttachError, Container
from waitforweave.cli.network import Network, on_network
from waitforweave.docker.engine import Engine, EngineError
from waitforweave.gate.weave_cidr import Wanted, WeaveCidrError, parse


@click.command(short_help="Give a running container its ethwe, by hand.")
@on_network
@click.argument("cidrs", metavar="[CIDR]...", nargs=-1)
@click.argument("container")
def command(
    network: Network,
    cidrs: tuple[str, ...],
    container: str,
) -> None:
    """Give a running CONTAINER the interface ethwe with these addresses, and print them.

    CIDR is a word of WEAVE_CIDR: 10.2.1.5/24, net:10.2.2.0/24 or net:default, which is what a
    container gets where none is named. Attaching again changes nothing.
    """
    wanted = parse_words(cidrs, "attach")
    if is_cidr(container):
        raise click.UsageError(f'"{container}" is no container; allowed: CIDR... CONTAINER')
    with network.used("attach") as backend:
        target = asyncio.run(running(network.engine, container))
        backend.prepare()
        attached = backend.attach(target, wanted)
    print_addresses(attached)


def is_cidr(word: str) -> bool:
    """Whether somebody has named addresses and no container."""
    try:
        return bool(parse(word)) and not {"/", ":"}.isdisjoint(word)
    except WeaveCidrError:
        return False


def parse_words(cidrs: Sequence[str], to_do: str) -> tuple[Wanted, ...]:
    """The words of a command line; none stand for an address of the default subnet. UsageError."""
    try:
        wanted = parse(" ".join(cidrs))
    except WeaveCidrError as error:
        raise click.UsageError(str(error).removeprefix("WEAVE_CIDR: ")) from error
    if not wanted:
        raise click.UsageError(f'"none" leaves nothing to {to_do}')
    return wanted


def print_addresses(cidrs: Sequence[str]) -> None:
    """As `weave attach` prints them: without the prefix length. No address, no line."""
    if cidrs:
        click.echo(" ".join(cidr.split("/")[0] for cidr in cidrs))


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
