"""The veth pair of a container: one end a port of our bridge, the other its `ethwe`."""

from __future__ import annotations

import errno
import hashlib
import ipaddress
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from waitforweave.attach.announce import announce
from waitforweave.attach.backend import AttachError
from waitforweave.attach.links import (
    Interface,
    Mark,
    ensure_address,
    ensure_multicast_route,
    find_link,
    index_of,
    remove_address,
    remove_link,
)
from waitforweave.attach.netns import Run
from waitforweave.attach.operstate import await_up
from waitforweave.attach.sysctl import allow_ipv6

INTERFACE = "ethwe"
HOST_END = "vethwl"


@dataclass(frozen=True)
class Pair:
    """`namespace` is the descriptor of the container's, `inside` runs in there; `bridge` is our
    bridge's ifindex; `mtu` None leaves the kernel's own."""

    container: str
    namespace: int
    inside: Run
    bridge: int
    mtu: int | None = None


def host_end_name(container: str) -> str:
    """The host's end of a container's pair: "vethwl" and 9 hex digits, 15 characters in all."""
    return HOST_END + hashlib.sha256(container.encode()).hexdigest()[:9]


def ensure_pair(host: IPRoute, pair: Pair, cidrs: Sequence[str], undo: ExitStack) -> int:
    """The ifindex of the host's end, still down where it was missing. AttachError."""
    name = host_end_name(pair.container)
    index = index_of(name)
    if index is not None:
        if pair.inside(partial(leads_to, index)):
            return index
        # Of the container's last run: somebody still holds that namespace.
        remove_link(host, name)
    mtu: dict[str, Any] = {} if pair.mtu is None else {"mtu": pair.mtu}
    peer = {"ifname": INTERFACE, "net_ns_fd": pair.namespace, "address": hardware_address(cidrs)}
    try:
        host.link("add", ifname=name, kind="veth", peer=peer | mtu, master=pair.bridge, **mtu)
    except NetlinkError as error:
        if error.code == errno.EEXIST:
            raise foreign_interface() from error
        raise
    undo.callback(remove_link, host, name)
    index = index_of(name)
    if index is None:
        raise AttachError("the container ended meanwhile")
    return index


def foreign_interface() -> AttachError:
    return AttachError(f"an interface {INTERFACE} is in the container already that is not ours")


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


def plug_in(host: IPRoute, host_end: int, bridge: int, mark: Mark) -> None:
    """Make the host's end a port of the bridge, and wait until that passes on what comes.

    That is when the end is up by its own word, not by the container's end's: whoever asks for a
    link has the kernel see to its carrier at once, and to no other link's (linkwatch_sync_dev).
    """
    host.link("set", index=host_end, master=bridge, ifalias=str(mark), state="up")
    await_up(host_end)


def bring_up(
    pair: Pair, cidrs: Sequence[str], plug: Callable[[], object], *, multicast: bool
) -> None:
    """All of the container's end. `plug` gives it its carrier, when all else is there; when it is
    live its addresses are announced.

    After an error no address is there that was not before.
    """
    inside = pair.inside
    with ExitStack() as closing, ExitStack() as undo:
        end = inside(End)
        # By the same thread: pyroute2 has a socket for each one.
        closing.callback(inside, end.close)
        undo.callback(inside, end.unconfigure)
        inside(lambda: end.configure(cidrs, multicast=multicast))
        plug()
        inside(end.announce)
        undo.pop_all()


class End:
    """Inside: the container's `ethwe`, and what was added to it."""

    def __init__(self) -> None:
        index = index_of(INTERFACE)
        if index is None:
            raise AttachError(f"{INTERFACE} is not there any more")
        self.index = index
        self.ipr = IPRoute()
        self.added: list[Interface] = []

    def close(self) -> None:
        self.ipr.close()

    def configure(self, cidrs: Sequence[str], *, multicast: bool) -> None:
        """Addresses, link up, multicast route. The default route is the container's own."""
        add_addresses(self.ipr, self.index, INTERFACE, cidrs, self.added)
        self.ipr.link("set", index=self.index, state="up")
        if multicast:
            ensure_multicast_route(self.ipr, self.index)

    def unconfigure(self) -> None:
        remove_addresses(self.ipr, self.index, self.added)

    def announce(self) -> None:
        if self.added:
            announce(self.index, INTERFACE, {each.version for each in self.added})


def add_addresses(
    ipr: IPRoute, index: int, name: str, cidrs: Sequence[str], added: list[Interface]
) -> None:
    """Those that are missing; which they were is in `added`, also after an error."""
    if any(":" in cidr for cidr in cidrs):
        allow_ipv6(name)
    for interface in map(ipaddress.ip_interface, cidrs):
        if ensure_address(ipr, index, interface):
            added.append(interface)  # noqa: PERF401 - an error comes between


def remove_addresses(ipr: IPRoute, index: int, interfaces: Sequence[Interface]) -> None:
    for interface in interfaces:
        remove_address(ipr, index, interface)
