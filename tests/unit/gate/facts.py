"""Short ways to say links, addresses and what the kernel sends of them."""

from __future__ import annotations

import ipaddress
from struct import pack

from waitforweave.gate import nlmsg, uapi
from waitforweave.gate.routes import Route
from waitforweave.gate.rtnl import Address, Link

UP = uapi.IFF_UP
READY = uapi.IFF_UP | uapi.IFF_RUNNING | uapi.IFF_LOWER_UP


def link(index: int = 3, name: str = "ethwe", flags: int = READY, operstate: int = 6) -> Link:
    return Link(index, name, flags, operstate)


def address(
    cidr: str, index: int = 3, flags: int = 0x80, scope: int = 0, peer: str = ""
) -> Address:
    ip = ipaddress.ip_interface(cidr)
    other = ipaddress.ip_address(peer).packed if peer else b""
    family = 2 if ip.version == 4 else 10
    return Address(family, ip.packed, ip.network.prefixlen, scope, flags, index, other)


def route(to: str, *indices: int, table: int = 254, priority: int = 0) -> Route:
    network = ipaddress.ip_network(to)
    family = 2 if network.version == 4 else 10
    packed = network.network_address.packed
    return Route(family, packed, network.prefixlen, indices, table, priority)


def link_message(
    of: Link, kind: int = 16, sequence: int = 0, port: int = 0, flags: int = 0
) -> bytes:
    attributes = nlmsg.encode_attribute(uapi.IFLA_IFNAME, of.name.encode() + b"\0")
    attributes += nlmsg.encode_attribute(uapi.IFLA_OPERSTATE, bytes([of.operstate]))
    payload = pack("=BxHiII", 0, 1, of.index, of.flags, 0) + attributes
    return message(kind, payload, sequence, port, flags)


def address_message(
    of: Address, kind: int = 20, sequence: int = 0, port: int = 0, flags: int = 0
) -> bytes:
    payload = pack("=BBBBI", of.family, of.prefixlen, of.flags & 0xFF, of.scope, of.index)
    payload += nlmsg.encode_attribute(uapi.IFA_ADDRESS, of.packed)
    return message(kind, payload, sequence, port, flags)


def route_message(
    of: Route, kind: int = 24, sequence: int = 0, port: int = 0, flags: int = 0
) -> bytes:
    payload = pack("=BBBBBBBBI", of.family, of.prefixlen, 0, 0, of.table, 3, 0, 1, 0)
    if of.prefixlen:
        payload += nlmsg.encode_attribute(uapi.RTA_DST, of.packed)
    for index in of.indices:
        payload += nlmsg.encode_attribute(uapi.RTA_OIF, pack("=i", index))
    return message(kind, payload, sequence, port, flags)


def message(kind: int, payload: bytes, sequence: int, port: int, flags: int = 0) -> bytes:
    return (
        pack("=IHHII", 16 + len(payload), kind, flags, sequence, port)
        + payload
        + (b"\0" * (-len(payload) % 4))
    )
