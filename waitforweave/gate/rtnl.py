"""rtnetlink's payloads: messages to link and address events, and the two dump requests. Pure."""

from __future__ import annotations

from _socket import AF_INET, AF_INET6, AF_UNSPEC, inet_ntop
from struct import Struct

from waitforweave.gate import nlmsg, uapi
from waitforweave.gate.nlmsg import NetlinkDecodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from waitforweave.gate.routes import Route

IFINFOMSG = Struct("=BxHiII")  # struct ifinfomsg: family, type, index, flags, change mask
IFADDRMSG = Struct("=BBBBI")  # struct ifaddrmsg: family, prefix length, flags, scope, index
U32 = Struct("=I")
S32 = Struct("=i")
PACKED_BYTES = {AF_INET: 4, AF_INET6: 16}


class Link:
    """An interface as the kernel last told it: `flags` are IFF_*, `operstate` is IF_OPER_*."""

    __slots__ = ("flags", "index", "name", "operstate")

    def __init__(self, index: int, name: str, flags: int, operstate: int) -> None:
        self.index = index
        self.name = name
        self.flags = flags
        self.operstate = operstate


class Address:
    """An address of an interface: `packed` in network byte order, `flags` are IFA_F_*; `peer` is
    IFA_ADDRESS, where the other end of a point-to-point link has its own."""

    __slots__ = ("family", "flags", "index", "packed", "peer", "prefixlen", "scope")

    def __init__(  # noqa: PLR0913, PLR0917 - struct ifaddrmsg's fields and the addresses
        self,
        family: int,
        packed: bytes,
        prefixlen: int,
        scope: int,
        flags: int,
        index: int,
        peer: bytes = b"",
    ) -> None:
        self.family = family
        self.packed = packed
        self.prefixlen = prefixlen
        self.scope = scope
        self.flags = flags
        self.index = index
        self.peer = peer

    @property
    def text(self) -> str:
        """As WEAVE_CIDR has it: "10.2.1.5/24"."""
        return f"{inet_ntop(self.family, self.packed)}/{self.prefixlen}"


class Gone:
    """What the kernel took away: the event's last facts."""

    __slots__ = ("was",)

    def __init__(self, was: Link | Address | Route) -> None:
        self.was = was


if TYPE_CHECKING:
    Event: TypeAlias = Link | Address | Route | Gone


def decode(kind: int, payload: bytes) -> Event | None:
    """The event in a message, or None if it is none for us. Raises NetlinkDecodeError."""
    if kind in (uapi.RTM_NEWLINK, uapi.RTM_DELLINK):
        link = decode_link(payload)
        return Gone(link) if link and kind == uapi.RTM_DELLINK else link
    if kind in (uapi.RTM_NEWADDR, uapi.RTM_DELADDR):
        address = decode_address(payload)
        return Gone(address) if address and kind == uapi.RTM_DELADDR else address
    if kind in (uapi.RTM_NEWROUTE, uapi.RTM_DELROUTE):
        from waitforweave.gate import routes

        route = routes.decode_route(payload)
        return Gone(route) if route and kind == uapi.RTM_DELROUTE else route
    return None


def decode_link(payload: bytes) -> Link | None:
    """An interface, or None for what is not about one. Raises NetlinkDecodeError."""
    family, _, index, flags, _ = unpack(IFINFOMSG, payload, "struct ifinfomsg")
    # A bridge tells of its ports with AF_BRIDGE in the same group, and its RTM_DELLINK means
    # "no longer a port", not "deleted" (net/bridge/br_netlink.c, br_ifinfo_notify).
    if family != AF_UNSPEC:
        return None
    attributes = nlmsg.decode_attributes(payload, IFINFOMSG.size)
    name = decode_name(attributes.get(uapi.IFLA_IFNAME, b""))
    operstate = attributes.get(uapi.IFLA_OPERSTATE, bytes([uapi.IF_OPER_UNKNOWN]))
    if len(operstate) != 1:
        raise NetlinkDecodeError(f"IFLA_OPERSTATE of {len(operstate)} bytes", IFINFOMSG.size)
    return Link(index, name, flags, operstate[0])


def decode_name(value: bytes) -> str:
    """An interface's name, as the kernel's dev_valid_name() lets it be, with its NUL."""
    name = value.partition(b"\0")[0]
    if not 0 < len(name) < uapi.IFNAMSIZ:
        raise NetlinkDecodeError(f"IFLA_IFNAME of {len(name)} bytes", IFINFOMSG.size)
    return name.decode("ascii", "backslashreplace")


def decode_address(payload: bytes) -> Address | None:
    """An IPv4 or IPv6 address, or None for another family. Raises NetlinkDecodeError."""
    family, prefixlen, flags, scope, index = unpack(IFADDRMSG, payload, "struct ifaddrmsg")
    if family not in PACKED_BYTES:
        return None
    attributes = nlmsg.decode_attributes(payload, IFADDRMSG.size)
    # IFA_ADDRESS is the peer's on a point-to-point link; then IFA_LOCAL is ours (if_addr.h).
    peer = attributes.get(uapi.IFA_ADDRESS, b"")
    packed = attributes.get(uapi.IFA_LOCAL) or peer
    if len(packed) != PACKED_BYTES[family] or prefixlen > 8 * len(packed):
        what = f"address of {len(packed)} bytes with prefix length {prefixlen}"
        raise NetlinkDecodeError(what, IFADDRMSG.size)
    # 32 bits of flags beat the 8 of the header, which newer flags do not fit in.
    if uapi.IFA_FLAGS in attributes:
        (flags,) = unpack(U32, attributes[uapi.IFA_FLAGS], "IFA_FLAGS")
    return Address(family, packed, prefixlen, scope, flags, index, peer)


def decode_error(payload: bytes) -> int:
    """The errno of NLMSG_ERROR or NLMSG_DONE, 0 for success. Raises NetlinkDecodeError."""
    (negated,) = unpack(S32, payload, "struct nlmsgerr")
    return int(-negated)


def unpack(layout: Struct, payload: bytes, what: str) -> tuple[int, ...]:
    """The fields at the payload's head. Raises NetlinkDecodeError if it is too short."""
    if len(payload) < layout.size:
        raise NetlinkDecodeError(f"{len(payload)} bytes are no {what}", 0)
    return layout.unpack_from(payload)


def dump_links(sequence: int) -> bytes:
    """The request for all interfaces, without the hundreds of counters of IPv6 on each."""
    mask = nlmsg.encode_attribute(uapi.IFLA_EXT_MASK, U32.pack(uapi.RTEXT_FILTER_SKIP_STATS))
    payload = IFINFOMSG.pack(AF_UNSPEC, 0, 0, 0, 0) + mask
    return nlmsg.encode(uapi.RTM_GETLINK, uapi.NLM_F_REQUEST | uapi.NLM_F_DUMP, sequence, payload)


def dump_addresses(sequence: int) -> bytes:
    """The request for all addresses, of both families."""
    payload = IFADDRMSG.pack(AF_UNSPEC, 0, 0, 0, 0)
    return nlmsg.encode(uapi.RTM_GETADDR, uapi.NLM_F_REQUEST | uapi.NLM_F_DUMP, sequence, payload)
