"""Options that several commands share, so that they read and default alike."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from waitforweave.attach.options import BACKENDS, ENGINE, Options
from waitforweave.cli.listening import is_loopback
from waitforweave.docker.url import ALLOWED, parse_engine_url, same_engine


class Url(click.ParamType[str]):
    """unix:///PATH or tcp://HOST:PORT, kept as the text that it is."""

    name = "URL"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        # It goes to the engine, and into files, as JSON.
        if not is_utf8(value):
            self.fail(f'"{ascii(value)[1:-1]}" is no UTF-8; {ALLOWED}', param, ctx)
        try:
            return str(parse_engine_url(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def is_utf8(word: str) -> bool:
    """Whether this word of a command line is (PEP 383)."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


class Engine(Url):
    """The default one has one name, by which its launch is known: /var/run is /run."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        url = super().convert(value, param, ctx)
        return ENGINE if same_engine(url, ENGINE) else url


class PageUrl(Url):
    """127.0.0.1:8008, as one types it into a browser; kept as tcp://127.0.0.1:8008."""

    name = "HOST:PORT"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = value.removeprefix("http://").removesuffix("/").removeprefix("tcp://")
        try:
            address = parse_engine_url(f"tcp://{text}")
        except ValueError:
            address = None
        if address is None or not is_loopback(address.host):
            self.fail(f'"{value}": allowed: 127.0.0.1:PORT or [::1]:PORT', param, ctx)
        return str(address)


def web_address(url: str) -> str:
    """What a person types into a browser for a PAGE_URL."""
    return url.replace("tcp://", "http://", 1) + "/"


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
PAGE_URL = PageUrl()

# DOCKER_HOST is not read: once exported as `launch` says, it names our own proxy.
engine_option = click.option(
    "--engine",
    type=Engine(),
    default=ENGINE,
    show_default=True,
    help="The Docker Engine.",
)
backend_option = click.option(
    "--backend",
    type=click.Choice(BACKENDS),
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
DEFAULT = Options()
NETWORK_OPTIONS = (
    click.option(
        "--mtu",
        type=click.IntRange(1280, 65535),
        help="bridge: the MTU of links made from now on.  [default: the kernel's, 1500]",
    ),
    click.option(
        "--no-multicast-route",
        is_flag=True,
        help="bridge, weave: no route 224.0.0.0/4 through ethwe.",
    ),
    click.option(
        "--weave",
        default=DEFAULT.weave,
        show_default=True,
        metavar="PROGRAM",
        help="weave: the command `weave`, a name on PATH or a path.",
    ),
    click.option(
        "--cni-config",
        type=click.Path(path_type=Path),
        default=DEFAULT.cni_config,
        show_default=True,
        help="cni: a network's configuration, or a folder, of which the first is taken.",
    ),
    click.option(
        "--cni-path",
        default=DEFAULT.cni_path,
        show_default=True,
        metavar="DIR[:DIR]...",
        help="cni: where the plugins are.",
    ),
)


def network_options(command: Callable[..., None]) -> Callable[..., None]:
    """What the kinds of network want to know, given to the command as `options`."""

    @functools.wraps(command)
    def collected(
        *,
        mtu: int | None,
        no_multicast_route: bool,
        weave: str,
        cni_config: Path,
        cni_path: str,
        **others: Any,  # noqa: ANN401 - the command's own
    ) -> None:
        # Processes of a launch are in another folder, and so is who detaches later.
        weave = str(Path(weave).absolute()) if "/" in weave else weave
        plugins = ":".join(str(Path(each).absolute()) for each in cni_path.split(":") if each)
        options = Options(mtu, not no_multicast_route, weave, cni_config.absolute(), plugins)
        command(options=options, **others)

    for option in reversed(NETWORK_OPTIONS):
        collected = option(collected)
    return collected


def network_words(options: Options) -> tuple[str, ...]:
    """The words that give these options again, to the hook server's command line, say."""
    words = {
        f"--mtu={options.mtu}": options.mtu != DEFAULT.mtu,
        "--no-multicast-route": not options.multicast_route,
        f"--weave={options.weave}": options.weave != DEFAULT.weave,
        f"--cni-config={options.cni_config}": options.cni_config != DEFAULT.cni_config,
        f"--cni-path={options.cni_path}": options.cni_path != DEFAULT.cni_path,
    }
    return tuple(word for word, is_given in words.items() if is_given)


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
LISTEN = "unix:///run/weavewait/docker.sock"
listen_option = click.option(
    "--listen",
    multiple=True,
    type=URL,
    default=(LISTEN,),
    show_default=True,
    help="Where clients reach the proxy: unix:///PATH, or tcp://127.0.0.1:PORT. Repeatable.",
)


def require_different(listen: tuple[str, ...]) -> None:
    """click.UsageError."""
    if len(set(listen)) < len(listen):
        raise click.UsageError("--listen: the same address twice.")
