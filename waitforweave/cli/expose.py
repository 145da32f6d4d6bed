"""`weavewait expose`: the host itself gets an address in the containers' network."""

from __future__ import annotations

import click

from waitforweave.cli.attach import parse_words, print_addresses
from waitforweave.cli.network import Network, on_network


@click.command(short_help="Give the host addresses in the containers' network.")
@on_network
@click.argument("cidrs", metavar="[CIDR]...", nargs=-1)
def command(
    network: Network,
    cidrs: tuple[str, ...],
) -> None:
    """Give the host these addresses in the network of the containers, and print them.

    CIDR is a word of WEAVE_CIDR; where none is named, it is an address of the default subnet.
    Exposing again changes nothing. `weavewait hide` takes them away.
    """
    wanted = parse_words(cidrs, "expose")
    with network.used("expose") as backend:
        backend.prepare()
        exposed = backend.expose(wanted)
    print_addresses(exposed)
