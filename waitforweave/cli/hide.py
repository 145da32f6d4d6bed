"""`weavewait hide`: the undo of expose."""

from __future__ import annotations

import click

from waitforweave.cli.attach import parse_words, print_addresses
from waitforweave.cli.network import Network, on_network


@click.command(short_help="Take the host's addresses away again.")
@on_network
@click.argument("cidrs", metavar="[CIDR]...", nargs=-1)
def command(
    network: Network,
    cidrs: tuple[str, ...],
) -> None:
    """Take these addresses away from the host again, or all that expose gave, and print them.

    One that the host does not have is no error.
    """
    wanted = parse_words(cidrs, "hide") if cidrs else ()
    with network.used("hide") as backend:
        hidden = backend.hide(wanted)
    print_addresses(hidden)
