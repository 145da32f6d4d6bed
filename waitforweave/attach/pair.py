"""The veth pair of a container: one end a port of our bridge, the other its `ethwe`."""

from __future__ import annotations

import errno
import hashlib
import ipaddress
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from waitforweave.attach import netns
from waitforweave.attach.backend import AttachError
from waitforweave.attach.links import (
    allow_ipv6,
    ensure_address,
    ensure_multicast_route,
    find_link,
    index_of,
    remove_address,
    remove_link,
)

INTERFACE = "ethwe"


@dataclass(frozen=True)
class Pair:
    """`namespace` is the descriptor of the container's; `bridge` our bridge's ifindex."""

    container: str
    namespace: int
    bridge: int


def host_end_name(container: str) -> str:
    """The host's end of a container's pair: "vethwl" and 9 hex digits, 15 characters in all."""
    return "vethwl" + hashlib.sha256(container.encode()).hexdigest()[:9]


def ensure_pair(host: IPRoute, pair: Pair, cidrs: Sequence[str], undo: ExitStack) -> int:
    """The ifindex of the host's end, still down where it was missing. AttachError."""
    name = host_end_name(pair.container)
    index = index_of(name)
    if index is not None:
        if netns.run_inside(pair.namespace, partial(leads_to, index)):
            return index
        # Of the container's last run: somebody still holds that namespace.
        remove_link(host, name)
    peer = {"ifname": INTERFACE, "net_ns_fd": pair.namespace, "address": hardware_address(cidrs)}
    try:
        host.link("add", ifname=name, kind="veth", peer=peer, master=pair.bridge)
    except NetlinkError as error:
        if error.code == errno.EEXIST:
            raise AttachError(
                f"an interface {INTERFACE} is in the container already that is not ours"
            ) from error
        raise
    undo.callback(remove_link, host, name)
    index = index_of(name)
    if index is None:
        raise AttachError("the container ended meanwhile")
    return index


def leads_to(host_end: int) -> bool:
    """Inside: whether there is an `ethwe` whose other end has this ifindex, in its namespace."""
    with IPRoute() as inside:
        link = find_link(inside, INTERFACE)
        return link is not None and link.get_attr("IFLA_LINK") == host_end


def hardware_address(cidrs: Sequence[str]) -> str:
    """A MAC that follows from the first address, as Docker's does on its own bridge: who has an
    old neighbour entry for a re-used address reaches its new owner at once (weave#441)."""
    address = ipaddress.ip_interface(cidrs[0]).ip
    # 0x02: locally administered; a second byte for each family, so that they never meet.
    if address.version == 4:
        octets = b"\x02\x77" + address.packed
    else:
        octets = b"\x06" + hashlib.sha256(address.packed).digest()[:5]
    return octets.hex(":")


def configure(cidrs: Sequence[str]) -> list[str]:
    """Inside: addresses, link up, multicast route. The default route is the container's own.

    Which of the addresses were missing; after an error none of those is there.
    """
    index = interface_index()
    added: list[str] = []
    with IPRoute() as inside, ExitStack() as undo:
        if any(":" in cidr for cidr in cidrs):
            allow_ipv6(INTERFACE)
        for interface in map(ipaddress.ip_interface, cidrs):
            if ensure_address(inside, index, interface):
                undo.callback(remove_address, inside, index, interface)
                added.append(str(interface))
        inside.link("set", index=index, state="up")
        ensure_multicast_route(inside, index)
        undo.pop_all()
    return added


def unconfigure(cidrs: Sequence[str]) -> None:
    """Inside: take these addresses away again; `ethwe` may be gone."""
    index = index_of(INTERFACE)
    if index is None:
        return
    with IPRoute() as inside:
        for cidr in cidrs:
            remove_address(inside, index, ipaddress.ip_interface(cidr))


def interface_index() -> int:
    index = index_of(INTERFACE)
    if index is None:
        raise AttachError(f"{INTERFACE} is not there any more")
    return index
