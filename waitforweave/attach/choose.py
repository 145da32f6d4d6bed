"""Which backend an operator named, with the options that it has."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from waitforweave.attach.backend import Backend
from waitforweave.attach.bridge import BridgeBackend
from waitforweave.attach.cni import CniBackend
from waitforweave.attach.ipam import Ipam
from waitforweave.attach.options import BACKENDS, ENGINE, Options, Place
from waitforweave.attach.weave import WeaveBackend


def make_backend(
    name: str, *, subnet: str, state: Path, engine: str = ENGINE, options: Options | None = None
) -> Backend:
    """The backend of this name; addresses that nobody named come from `subnet`, and which are
    given is kept in the folder `state`. ValueError for a name or a subnet that is none."""
    ipaddress.ip_network(subnet)
    place, options = Place(subnet, state, engine), options or Options()
    match name:
        case "bridge":
            ipam = Ipam(state, subnet)
            return BridgeBackend(ipam, mtu=options.mtu, multicast=options.multicast_route)
        case "weave":
            return WeaveBackend(place, options)
        case "cni":
            return CniBackend(place, options)
    raise ValueError(f'no backend "{name}"; allowed: {", ".join(BACKENDS)}')
