"""Which backend an operator named, with the options that it has."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from waitforweave.attach.backend import Backend
from waitforweave.attach.bridge import BridgeBackend
from waitforweave.attach.ipam import Ipam

ENGINE = "unix:///var/run/docker.sock"


@dataclass(frozen=True)
class Options:
    """What one kind of network or another wants to know; each knows its own."""

    mtu: int | None = None
    multicast_route: bool = True


@dataclass(frozen=True)
class Place:
    """What all kinds want to know: `subnet` is that of words that name none, the folder `state`
    remembers what was given to whom, `engine` is the URL of whose containers these are."""

    subnet: str
    state: Path
    engine: str


def make_bridge(place: Place, options: Options) -> Backend:
    ipam = Ipam(place.state, place.subnet)
    return BridgeBackend(ipam, mtu=options.mtu, multicast=options.multicast_route)


BACKENDS: dict[str, Callable[[Place, Options], Backend]] = {"bridge": make_bridge}


def make_backend(
    name: str, *, subnet: str, state: Path, engine: str = ENGINE, options: Options | None = None
) -> Backend:
    """The backend of this name. ValueError for a name or a subnet that is none."""
    if name not in BACKENDS:
        raise ValueError(f'no backend "{name}"; allowed: {", ".join(BACKENDS)}')
    ipaddress.ip_network(subnet)
    return BACKENDS[name](Place(subnet, state, engine), options or Options())
