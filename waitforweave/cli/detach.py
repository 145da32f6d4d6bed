"""`weavewait detach`: take a container's ethwe away, or all that was ever made."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from waitforweave.attach.choose import make_backend
from waitforweave.attach.options import Options
from waitforweave.cli.attach import inspected, print_addresses
from waitforweave.cli.errors import told
from waitforweave.cli.options import (
    backend_option,
    engine_option,
    network_options,
    state_option,
    subnet_option,
)


@click.command(short_help="Take ethwe away from a container, or all that was made.")
@engine_option
@backend_option
@subnet_option
@state_option
@network_options
@click.option("--all", "everything", is_flag=True, help="Bridge, links, rules and addresses too.")
@click.argument("container", required=False)
def command(
    engine: str,
    backend: str,
    subnet: str,
    state: Path,
    options: Options,
    everything: bool,
    container: str | None,
) -> None:
    """Take ethwe away from CONTAINER, give its addresses back, and print them.

    A container that has none is no error. --all asks no engine.
    """
    if everything == (container is not None):
        raise click.UsageError("name a CONTAINER, or --all")
    with told("detach"):
        network = make_backend(backend, subnet=subnet, state=state, engine=engine, options=options)
        if container is None:
            network.remove_all()
            return
        found = asyncio.run(inspected(engine, container))
        addresses = network.detach(str(found["Id"]))
    print_addresses(addresses)
