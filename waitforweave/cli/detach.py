"""`weavewait detach`: take a container's ethwe away, or all that was ever made."""

from __future__ import annotations

import asyncio

import click

from waitforweave.cli.attach import inspected, print_addresses
from waitforweave.cli.network import Network, on_network


@click.command(short_help="Take ethwe away from a container, or all that was made.")
@on_network
@click.option("--all", "everything", is_flag=True, help="Bridge, links, rules and addresses too.")
@click.argument("container", required=False)
def command(
    network: Network,
    everything: bool,
    container: str | None,
) -> None:
    """Take ethwe away from CONTAINER, give its addresses back, and print them.

    A container that has none is no error. --all asks no engine.
    """
    if everything == (container is not None):
        raise click.UsageError("name a CONTAINER, or --all")
    with network.used("detach") as backend:
        if container is None:
            backend.remove_all()
            return
        found = asyncio.run(inspected(network.engine, container))
        addresses = backend.detach(str(found["Id"]))
    print_addresses(addresses)
