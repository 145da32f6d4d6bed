"""What the kernel said so far: interfaces and their addresses by interface index, routes. Pure."""

from __future__ import annotations

from _socket import AF_INET

from waitforweave.gate.asked import selects
from waitforweave.gate.rtnl import Address, Gone, Link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from waitforweave.gate.routes import Route, RouteKey
    from waitforweave.gate.rtnl import Event

    # The kernel tells two addresses of an interface apart by these: family, packed address, prefix
    # length (10.2.1.5/24 and 10.2.1.5/16 may both be there), and of IPv4 the peer's address.
    AddressKey: TypeAlias = tuple[int, bytes, int, bytes]


class Links:
    """The model that events build.

    Keyed by index, since a name may move: an interface is renamed, or deleted and made again.
    An address may be told of before its interface is.
    """

    __slots__ = ("addresses_by_index", "links_by_index", "routes_by_key")

    def __init__(self) -> None:
        self.links_by_index: dict[int, Link] = {}
        self.addresses_by_index: dict[int, dict[AddressKey, Address]] = {}
        self.routes_by_key: dict[RouteKey, Route] = {}

    def update(self, event: Event) -> None:
        """Take one event in; what is taken away twice, or was never there, changes nothing."""
        if isinstance(event, Link):
            self.links_by_index[event.index] = event
        elif isinstance(event, Address):
            self.addresses_by_index.setdefault(event.index, {})[address_key(event)] = event
        elif isinstance(event, Gone):
            self._remove(event)
        else:
            self.routes_by_key[event.key] = event

    def _remove(self, event: Gone) -> None:
        was = event.was
        if isinstance(was, Link):
            self.links_by_index.pop(was.index, None)
            # Its addresses went with it, and the index may be given to another interface.
            self.addresses_by_index.pop(was.index, None)
        elif isinstance(was, Address):
            self.addresses_by_index.get(was.index, {}).pop(address_key(was), None)
        else:
            self.routes_by_key.pop(was.key, None)

    def selected(self, pattern: str) -> Sequence[Link]:
        """The interfaces whose name matches now, in the kernel's order."""
        return [link for link in self.all() if selects(pattern, link.name)]

    def all(self) -> Sequence[Link]:
        """All interfaces, in the kernel's order."""
        return [link for _, link in sorted(self.links_by_index.items())]

    def addresses(self, index: int) -> Sequence[Address]:
        """The addresses of one interface, in the order in which they came."""
        return list(self.addresses_by_index.get(index, {}).values())


def address_key(address: Address) -> AddressKey:
    # An IPv6 address may get another peer, and stays the same (net/ipv6/addrconf.c,
    # inet6_addr_modify); an IPv4 one of another peer is one more (net/ipv4/devinet.c,
    # __inet_insert_ifa).
    peer = address.peer if address.family == AF_INET else b""
    return address.family, address.packed, address.prefixlen, peer
