"""What there is without netlink: interfaces and addresses by ioctl and from /proc and /sys.

For sandboxes that refuse AF_NETLINK (a seccomp profile) or its groups (gVisor). Loaded only
there; whoever asks looks again and again.
"""

from __future__ import annotations

import posix
from _socket import AF_INET, AF_INET6, SOCK_DGRAM, socket
from array import array
from errno import EADDRNOTAVAIL, ENODEV
from fcntl import ioctl
from struct import Struct

from waitforweave.gate import procfs, routes, uapi
from waitforweave.gate.asked import is_glob
from waitforweave.gate.links import Links
from waitforweave.gate.rtnl import Address, Link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from waitforweave.gate.asked import Asked

# struct ifreq: the name, and a union, here as a number, as flags or as a struct sockaddr_in.
IFREQ_BYTES = 40
IFREQ_INT = Struct("=16si20x")
IFREQ_FLAGS = Struct("=16sH22x")
IFREQ_INET = Struct("=16sH2x4s16x")
IFCONF = Struct("@iP")  # struct ifconf: bytes, pointer
INET_ROOM = 64  # IPv4 addresses that SIOCGIFCONF is given room for at first

SYS_NET = "/sys/class/net"
NAMES_FILE = "/proc/net/dev"
INET6_FILE = "/proc/net/if_inet6"
ROUTE_FILE = "/proc/net/route"
INET6_ROUTE_FILE = "/proc/net/ipv6_route"
# The file has IPV6_ADDR_SCOPE_* (include/net/ipv6.h): 0 is global, all others are narrower.
IPV6_ADDR_SCOPE_GLOBAL = 0


def snapshot(asked: Asked) -> Links:
    """All interfaces with their addresses; routes if they are asked for.

    Raises OSError: no ioctl here.
    """
    links = Links()
    names = {*list_names(), *(name for name in asked.interfaces if not is_glob(name))}
    sock = socket(AF_INET, SOCK_DGRAM)
    try:
        for link in filter(None, [read_link(sock, name) for name in sorted(names)]):
            links.update(link)
        for address in read_inet(sock, {link.name: link.index for link in links.all()}):
            links.update(address)
    finally:
        sock.close()
    for address in decode_inet6(procfs.read_file(INET6_FILE) or b""):
        links.update(address)
    if asked.routes:
        add_routes(links)
    return links


def add_routes(links: Links) -> None:
    """The routes of the main table, which is all that these files have of IPv4."""
    indices = {link.name.encode(): link.index for link in links.all()}
    for route in routes.decode_proc_inet(procfs.read_file(ROUTE_FILE) or b"", indices):
        links.update(route)
    for route in routes.decode_proc_inet6(procfs.read_file(INET6_ROUTE_FILE) or b"", indices):
        links.update(route)


def list_names() -> list[str]:
    """The interfaces' names, by /proc or, where that is not there, by /sys.

    /proc/net is that of the process' own namespace; /sys that of whoever mounted it.
    """
    content = procfs.read_file(NAMES_FILE)
    if content is not None:
        names = [line.partition(b":")[0].strip() for line in content.splitlines()[2:]]
        return [name.decode("ascii", "replace") for name in names]
    try:
        return posix.listdir(SYS_NET)
    except OSError:
        return []


def read_link(sock: socket, name: str) -> Link | None:
    """The interface of this name, or None. Raises OSError for all but its absence."""
    try:
        index = ioctl(sock, uapi.SIOCGIFINDEX, IFREQ_INT.pack(name.encode(), 0))
        flags = ioctl(sock, uapi.SIOCGIFFLAGS, IFREQ_FLAGS.pack(name.encode(), 0))
    except OSError as error:
        if error.errno == ENODEV:
            return None
        raise
    (bits,) = IFREQ_FLAGS.unpack(flags)[1:]
    # The 16 bits here have no IFF_LOWER_UP. IFF_RUNNING says more: operstate UP or UNKNOWN.
    carrier = uapi.IFF_LOWER_UP if bits & uapi.IFF_RUNNING else 0
    return Link(IFREQ_INT.unpack(index)[1], name, bits | carrier, uapi.IF_OPER_UNKNOWN)


def read_inet(sock: socket, indices: dict[str, int]) -> Iterator[Address]:
    """The IPv4 addresses of these interfaces, also those with a label ("ethwe:1")."""
    table = read_inet_table(sock)
    for offset in range(0, len(table) - IFREQ_BYTES + 1, IFREQ_BYTES):
        request = table[offset : offset + IFREQ_BYTES]
        label, family, packed = IFREQ_INET.unpack(request)
        name = label.partition(b"\0")[0].partition(b":")[0].decode("ascii", "replace")
        if family == AF_INET and name in indices:
            prefixlen = read_prefixlen(sock, request)
            if prefixlen is not None:
                scope, index = uapi.RT_SCOPE_UNIVERSE, indices[name]
                yield Address(AF_INET, packed, prefixlen, scope, 0, index)


def read_inet_table(sock: socket) -> bytes:
    """A struct ifreq for each IPv4 address. Raises OSError."""
    room = IFREQ_BYTES * INET_ROOM
    while True:
        table = array("B", bytes(room))
        pointer, size = table.buffer_info()
        used, _ = IFCONF.unpack(ioctl(sock, uapi.SIOCGIFCONF, IFCONF.pack(size, pointer)))
        # Full: there may be more, which the kernel does not say (net/socket.c, dev_ifconf).
        if used + IFREQ_BYTES <= room:
            return table[:used].tobytes()
        room *= 4


def read_prefixlen(sock: socket, request: bytes) -> int | None:
    """Of an IPv4 address, whose mask the kernel has under label and address; None if it has gone
    meanwhile. Raises OSError."""
    try:
        answer = ioctl(sock, uapi.SIOCGIFNETMASK, request)
    except OSError as error:
        if error.errno in (ENODEV, EADDRNOTAVAIL):
            return None
        raise
    return int.from_bytes(IFREQ_INET.unpack(answer)[2], "big").bit_count()


def decode_inet6(content: bytes) -> Iterator[Address]:
    """The lines of /proc/net/if_inet6: address, index, prefix length, scope, flags, name."""
    for line in content.splitlines():
        fields = line.split()
        if len(fields) < 5:
            continue
        index, prefixlen, scope, flags = (int(field, 16) for field in fields[1:5])
        is_global = scope == IPV6_ADDR_SCOPE_GLOBAL
        rt_scope = uapi.RT_SCOPE_UNIVERSE if is_global else uapi.RT_SCOPE_LINK
        packed = bytes.fromhex(fields[0].decode("ascii"))
        yield Address(AF_INET6, packed, prefixlen, rt_scope, flags, index)
