"""Options that several commands share, so that they read and default alike."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import click

from waitforweave.docker.url import parse_engine_url


class Url(click.ParamType[str]):
    """unix:///PATH or tcp://HOST:PORT, kept as the text that it is."""

    name = "URL"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return str(parse_engine_url(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


SUBNETS = "allowed: a subnet like 10.32.0.0/12"


class Subnet(click.ParamType[str]):
    """10.32.0.0/12 or fd00::/64: a network with its prefix length, kept as text."""

    name = "CIDR"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            network = ipaddress.ip_network(value)
        except ValueError as error:
            self.fail(f"{error}; {SUBNETS}", param, ctx)
        if network.num_addresses < 4:
            self.fail(f"{value} has no room for two containers; {SUBNETS}", param, ctx)
        return str(network)


URL = Url()

# DOCKER_HOST is not read: once exported as `launch` says, it names our own proxy.
engine_option = click.option(
    "--engine",
    type=URL,
    default="unix:///var/run/docker.sock",
    show_default=True,
    help="The Docker Engine.",
)
backend_option = click.option(
    "--backend",
    type=click.Choice(["bridge"]),
    default="bridge",
    show_default=True,
    help="How containers are attached.",
)
subnet_option = click.option(
    "--subnet",
    type=Subnet(),
    default="10.32.0.0/12",
    show_default=True,
    help="Where an empty WEAVE_CIDR takes its address from.",
)
state_option = click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("/var/lib/weavewait"),
    show_default=True,
    help="The folder that remembers which addresses are given.",
)
image_option = click.option(
    "--image",
    default="weavewait:latest",
    show_default=True,
    help="The volume image, from which the volume container is made.",
)
listen_option = click.option(
    "--listen",
    multiple=True,
    type=URL,
    default=("unix:///run/weavewait/docker.sock",),
    show_default=True,
    help="Where clients reach the proxy: unix:///PATH, or tcp://127.0.0.1:PORT. Repeatable.",
)
