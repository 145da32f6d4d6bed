"""`weavewait hide`: the undo of expose."""

from __future__ import annotations

from pathlib import Path

import click

from waitforweave.attach.choose import make_backend
from waitforweave.attach.options import Options
from waitforweave.cli.attach import parse_words, print_addresses
from waitforweave.cli.errors import told
from waitforweave.cli.options import (
    backend_option,
    engine_option,
    network_options,
    state_option,
    subnet_option,
)


@click.command(short_help="Take the host's addresses away again.")
@engine_option
@backend_option
@subnet_option
@state_option
@network_options
@click.argument("cidrs", metavar="[CIDR]...", nargs=-1)
def command(
    engine: str,
    backend: str,
    subnet: str,
    state: Path,
    options: Options,
    cidrs: tuple[str, ...],
) -> None:
    """Take these addresses away from the host again, or all that expose gave, and print them.

    One that the host does not have is no error.
    """
    wanted = parse_words(cidrs, "hide") if cidrs else ()
    with told("hide"):
        network = make_backend(backend, subnet=subnet, state=state, engine=engine, options=options)
        hidden = network.hide(wanted)
    print_addresses(hidden)
