"""rtnetlink's routes: messages to route events, the request for them, and where they lead.
Loaded only where --route asks for it. Pure.
"""

from __future__ import annotations

from _socket import AF_INET, AF_INET6, AF_UNSPEC
from struct import Struct

from waitforweave.gate import nlmsg, uapi
from waitforweave.gate.nlmsg import NetlinkDecodeError
from waitforweave.gate.rtnl import PACKED_BYTES, S32, U32, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    # A route's own number does not exist: what the kernel tells two apart by, and where it leads.
    RouteKey: TypeAlias = tuple[int, bytes, int, int, int, tuple[int, ...]]

# struct rtmsg: family, lengths of destination and source, tos, table, protocol, scope, type, flags
RTMSG = Struct("=BBBBBBBBI")
RTNEXTHOP = Struct("=HBBi")  # struct rtnexthop: length, flags, hops, interface index


class Route:
    """A route to unicast: `packed` the destination, `indices` the interfaces that it leads out of
    (several where it is multipath). Whether they are alive is for the interfaces to say: of an
    IPv4 route's RTNH_F_DEAD and RTNH_F_LINKDOWN the kernel tells nobody when they change
    (net/ipv4/fib_semantics.c, fib_sync_up)."""

    __slots__ = ("family", "indices", "packed", "prefixlen", "priority", "table")

    def __init__(  # noqa: PLR0913, PLR0917 - struct rtmsg's fields and attributes
        self,
        family: int,
        packed: bytes,
        prefixlen: int,
        indices: tuple[int, ...],
        table: int,
        priority: int,
    ) -> None:
        self.family = family
        self.packed = packed
        self.prefixlen = prefixlen
        self.indices = indices
        self.table = table
        self.priority = priority

    @property
    def key(self) -> RouteKey:
        where = self.family, self.packed, self.prefixlen
        return (*where, self.table, self.priority, self.indices)


def decode_route(payload: bytes) -> Route | None:
    """A route, or None for one that no packet of ours takes. Raises NetlinkDecodeError."""
    family, prefixlen, _, _, table, _, _, kind, flags = unpack(RTMSG, payload, "struct rtmsg")
    # Other families are multicast routing's (RTNL_FAMILY_IPMR); cloned ones are a cache's.
    if family not in PACKED_BYTES or kind != uapi.RTN_UNICAST or flags & uapi.RTM_F_CLONED:
        return None
    attributes = nlmsg.decode_attributes(payload, RTMSG.size)
    packed = attributes.get(uapi.RTA_DST, bytes(PACKED_BYTES[family]))
    if len(packed) != PACKED_BYTES[family] or prefixlen > 8 * len(packed):
        what = f"destination of {len(packed)} bytes with prefix length {prefixlen}"
        raise NetlinkDecodeError(what, RTMSG.size)
    table = number(attributes, uapi.RTA_TABLE, table)
    priority = number(attributes, uapi.RTA_PRIORITY, 0)
    indices = tuple(nexthops(attributes))
    return Route(family, packed, prefixlen, indices, table, priority)


def number(attributes: dict[int, bytes], kind: int, default: int) -> int:
    """An attribute of 32 bits. Raises NetlinkDecodeError."""
    if kind not in attributes:
        return default
    return unpack(U32, attributes[kind], f"attribute {kind}")[0]


def nexthops(attributes: dict[int, bytes]) -> Iterator[int]:
    """The interfaces that it leads out of. Raises NetlinkDecodeError."""
    if uapi.RTA_OIF in attributes:
        yield unpack(S32, attributes[uapi.RTA_OIF], "RTA_OIF")[0]
    hops, offset = attributes.get(uapi.RTA_MULTIPATH, b""), 0
    while offset < len(hops):
        length, _, _, index = unpack(RTNEXTHOP, hops[offset:], "struct rtnexthop")
        if not RTNEXTHOP.size <= length <= len(hops) - offset:
            raise NetlinkDecodeError(f"struct rtnexthop of {length} bytes", offset)
        yield index
        offset += nlmsg.align(length, uapi.NLA_ALIGNTO)


def dump_routes(sequence: int) -> bytes:
    """The request for all routes, of both families and of every table."""
    payload = RTMSG.pack(AF_UNSPEC, 0, 0, 0, 0, 0, 0, 0, 0)
    return nlmsg.encode(uapi.RTM_GETROUTE, uapi.NLM_F_REQUEST | uapi.NLM_F_DUMP, sequence, payload)


def decode_proc_inet(content: bytes, indices: dict[bytes, int]) -> Iterator[Route]:
    """The lines of /proc/net/route: interface, destination, gateway, flags, ..., metric, mask.

    Its numbers are the machine's own hexadecimal of what is in network byte order.
    """
    for line in content.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 8 or fields[0] not in indices or not passes(int(fields[3], 16)):
            continue
        packed, mask = (U32.pack(int(fields[n], 16)) for n in (1, 7))
        prefixlen = int.from_bytes(mask, "big").bit_count()
        yield Route(AF_INET, packed, prefixlen, (indices[fields[0]],), 0, int(fields[6]))


def decode_proc_inet6(content: bytes, indices: dict[bytes, int]) -> Iterator[Route]:
    """The lines of /proc/net/ipv6_route: destination, length, source, length, gateway, metric,
    two counters, flags, interface."""
    for line in content.splitlines():
        fields = line.split()
        if len(fields) < 10 or fields[9] not in indices or not passes(int(fields[8], 16)):
            continue
        packed, prefixlen = bytes.fromhex(fields[0].decode("ascii")), int(fields[1], 16)
        yield Route(AF_INET6, packed, prefixlen, (indices[fields[9]],), 0, int(fields[5], 16))


def passes(flags: int) -> bool:
    return bool(flags & uapi.RTF_UP) and not flags & uapi.RTF_REJECT
