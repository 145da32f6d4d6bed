"""Which backend an operator named."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from waitforweave.attach.backend import Backend
from waitforweave.attach.bridge import BridgeBackend
from waitforweave.attach.ipam import Ipam


def make_backend(name: str, *, subnet: str, state: Path) -> Backend:
    """The backend of this name; addresses that nobody named come from `subnet`, and which are
    given is kept in the folder `state`. ValueError for a name or a subnet that is none."""
    if name != "bridge":
        raise ValueError(f'no backend "{name}"; allowed: bridge')
    ipaddress.ip_network(subnet)
    return BridgeBackend(Ipam(state, subnet))
