"""`weavewait expose`: the host itself gets an address in the containers' network."""

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


@click.command(short_help="Give the host addresses in the containers' network.")
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
    """Give the host these addresses in the network of the containers, and print them.

    CIDR is a word of WEAVE_CIDR; where none is named, it is an address of the default subnet.
    Exposing again changes nothing. `weavewait hide` takes them away.
    """
    wanted = parse_words(cidrs, "expose")
    with told("expose"):
        network = make_backend(backend, subnet=subnet, state=state, engine=engine, options=options)
        network.prepare()
        exposed = network.expose(wanted)
    print_addresses(exposed)
