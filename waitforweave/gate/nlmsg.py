"""Framing of netlink: message headers and attributes, both ways. Pure.

Strict where the kernel's own macros are (NLMSG_OK, RTA_OK): a length below its header or past its
buffer is an error with its offset, never a guess. A datagram holds several messages.
"""

from __future__ import annotations

from struct import Struct

from waitforweave.gate import uapi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = Struct("=IHHII")  # struct nlmsghdr: length, type, flags, sequence, port id
ATTRIBUTE = Struct("=HH")  # struct nlattr: length, type


class NetlinkDecodeError(ValueError):
    """Bytes that are no netlink message; says what is wrong and at which offset."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(f"netlink: {what} at byte {offset}")
        self.offset = offset


class Message:
    """One message of a datagram: its header's fields, and the payload behind the header."""

    __slots__ = ("flags", "kind", "payload", "port_id", "sequence")

    def __init__(self, kind: int, flags: int, sequence: int, port_id: int, payload: bytes) -> None:
        self.kind = kind
        self.flags = flags
        self.sequence = sequence
        self.port_id = port_id
        self.payload = payload


def decode(datagram: bytes) -> Iterator[Message]:
    """The messages of one datagram, in order. Raises NetlinkDecodeError."""
    offset, end = 0, len(datagram)
    while offset < end:
        if end - offset < HEADER.size:
            raise NetlinkDecodeError(f"{end - offset} bytes are no message header", offset)
        length, kind, flags, sequence, port_id = HEADER.unpack_from(datagram, offset)
        if not HEADER.size <= length <= end - offset:
            raise NetlinkDecodeError(f"message length {length} of {end - offset} bytes", offset)
        payload = datagram[offset + HEADER.size : offset + length]
        yield Message(kind, flags, sequence, port_id, payload)
        offset += align(length, uapi.NLMSG_ALIGNTO)


def encode(kind: int, flags: int, sequence: int, payload: bytes) -> bytes:
    """One message to the kernel; port id 0: the kernel knows whose socket it is."""
    length = HEADER.size + len(payload)
    header = HEADER.pack(length, kind, flags, sequence, 0)
    return header + payload.ljust(align(len(payload), uapi.NLMSG_ALIGNTO), b"\0")


def decode_attributes(payload: bytes, offset: int) -> dict[int, bytes]:
    """Attributes from `offset` on, values by type; of two the last counts, as in nla_parse().

    Raises NetlinkDecodeError.
    """
    attributes: dict[int, bytes] = {}
    end = len(payload)
    while offset < end:
        if end - offset < ATTRIBUTE.size:
            raise NetlinkDecodeError(f"{end - offset} bytes are no attribute header", offset)
        length, kind = ATTRIBUTE.unpack_from(payload, offset)
        if not ATTRIBUTE.size <= length <= end - offset:
            raise NetlinkDecodeError(f"attribute length {length} of {end - offset} bytes", offset)
        attributes[kind & uapi.NLA_TYPE_MASK] = payload[offset + ATTRIBUTE.size : offset + length]
        offset += align(length, uapi.NLA_ALIGNTO)
    return attributes


def encode_attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded for the next one."""
    header = ATTRIBUTE.pack(ATTRIBUTE.size + len(value), kind)
    return header + value.ljust(align(len(value), uapi.NLA_ALIGNTO), b"\0")


def align(length: int, boundary: int) -> int:
    """`length` rounded up to the next multiple of `boundary`, a power of two."""
    return (length + boundary - 1) & -boundary
