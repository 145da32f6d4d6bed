"""Links, addresses and routes by pyroute2: what is there, and what is missing made."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

# The ifalias of all that we make: by this mark we know it again, and remove nothing else.
OURS = "weavewait"
IFA_F_NODAD = 0x02  # linux/if_addr.h
MULTICAST = "224.0.0.0/4"


def find_link(ipr: IPRoute, name: str) -> Any | None:  # noqa: ANN401 - pyroute2 has no types
    """The link of this name, or None."""
    try:
        return ipr.link("get", ifname=name)[0]
    except NetlinkError as error:
        if error.code == errno.ENODEV:
            return None
        raise


def is_ours(link: Any) -> bool:  # noqa: ANN401
    return bool(link.get_attr("IFLA_IFALIAS") == OURS)


def remove_link(ipr: IPRoute, name: str) -> None:
    """Remove a link; one that is gone is no error: its pair's other end went first."""
    link = find_link(ipr, name)
    if link is None:
        return
    try:
        ipr.link("del", index=link["index"])
    except NetlinkError as error:
        if error.code != errno.ENODEV:
            raise


def ensure_address(
    ipr: IPRoute, index: int, interface: ipaddress.IPv4Interface | ipaddress.IPv6Interface
) -> None:
    """Add the address, if it is not there. IPv6's is usable at once: nobody else can have it,
    since we keep the books (IFA_F_NODAD)."""
    options: dict[str, Any] = {}
    if interface.version == 6:
        options["flags"] = IFA_F_NODAD
    elif interface.network.prefixlen < 31:
        options["broadcast"] = str(interface.network.broadcast_address)
    with suppress_existing():
        ipr.addr(
            "add",
            index=index,
            address=str(interface.ip),
            prefixlen=interface.network.prefixlen,
            family=socket.AF_INET if interface.version == 4 else socket.AF_INET6,
            **options,
        )


def ensure_multicast_route(ipr: IPRoute, index: int) -> None:
    """224.0.0.0/4 through this link, as Weave has it."""
    with suppress_existing():
        ipr.route("add", dst=MULTICAST, oif=index, scope=253)  # RT_SCOPE_LINK


@contextmanager
def suppress_existing() -> Iterator[None]:
    """EEXIST is what "ensure" hopes for."""
    try:
        yield
    except NetlinkError as error:
        if error.code != errno.EEXIST:
            raise
