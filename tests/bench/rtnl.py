"""Changes of a network namespace by prepared messages: starting `ip` takes longer than the gate."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from struct import pack
from typing import TypeVar

from tests.netns.gate.space import Space
from waitforweave.attach import netns

RTM_NEWLINK, RTM_NEWADDR, RTM_DELADDR = 16, 20, 21
REQUEST, REQUEST_ACK, REQUEST_ACK_CREATE = 0x001, 0x005, 0x605
IFA_ADDRESS, IFA_LOCAL, IFLA_MTU = 1, 2, 4

Result = TypeVar("Result")


def inside(space: Space, work: Callable[[], Result]) -> Result:
    """Run `work` in a thread inside the space, where its sockets and its children are too."""
    fd = os.open(f"/proc/{space.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return netns.run_inside(fd, work)
    finally:
        os.close(fd)


def message(kind: int, flags: int, payload: bytes) -> bytes:
    return pack("=IHHII", 16 + len(payload), kind, flags, 1, 0) + payload


def address_payload(index: int, address: str, prefixlen: int) -> bytes:
    """struct ifaddrmsg and the address in it, for one of IPv4."""
    packed = socket.inet_aton(address)
    payload = pack("=BBBBI", socket.AF_INET, prefixlen, 0, 0, index)
    return payload + pack("=HH4s", 8, IFA_ADDRESS, packed) + pack("=HH4s", 8, IFA_LOCAL, packed)


def mtu_payload(index: int, mtu: int) -> bytes:
    """struct ifinfomsg and another MTU: the kernel tells of it, and nothing else happens."""
    return pack("=BxHiII", socket.AF_UNSPEC, 0, index, 0, 0) + pack("=HHI", 8, IFLA_MTU, mtu)


class Rtnl:
    """A socket that changes the namespace in which it was made."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)

    def __enter__(self) -> Rtnl:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def add_address(self, index: int, address: str) -> None:
        self._ask(message(RTM_NEWADDR, REQUEST_ACK_CREATE, address_payload(index, address, 24)))

    def delete_address(self, index: int, address: str) -> None:
        self._ask(message(RTM_DELADDR, REQUEST_ACK, address_payload(index, address, 24)))

    def _ask(self, request: bytes) -> None:
        self._socket.send(request)
        error = int.from_bytes(self._socket.recv(4096)[16:20], sys.byteorder, signed=True)
        if error:
            raise OSError(-error, "changing the network")

    def send(self, messages: bytes) -> None:
        """Requests that are not answered: the kernel does all of them before this returns."""
        self._socket.send(messages)
