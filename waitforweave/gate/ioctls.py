"""What there is without netlink: interfaces and addresses by ioctl and from /proc and /sys.

For sandboxes that refuse AF_NETLINK (a seccomp profile) or its groups (gVisor). Loaded only
there; whoever asks looks again and again.
"""

from __future__ import annotations

import posix
from _socket import AF_INET, AF_INET6, SOCK_DGRAM, socket
from array import array
from errno import ENODEV
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
MAX_INET = 1024  # IPv4 addresses that SIOCGIFCONF has room for

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
            for address in read_inet(sock, link):
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


def read_inet(sock: socket, link: Link) -> Iterator[Address]:
    """The IPv4 addresses of one interface, also those with a label ("ethwe:1")."""
    table = array("B", bytes(IFREQ_BYTES * MAX_INET))
    pointer, size = table.buffer_info()
    used, _ = IFCONF.unpack(ioctl(sock, uapi.SIOCGIFCONF, IFCONF.pack(size, pointer)))
    for offset in range(0, used - IFREQ_BYTES + 1, IFREQ_BYTES):
        request = table[offset : offset + IFREQ_BYTES].tobytes()
        label, family, packed = IFREQ_INET.unpack(request)
        name = label.partition(b"\0")[0].partition(b":")[0]
        if family == AF_INET and name == link.name.encode():
            yield read_prefixlen(sock, link, request, packed)


def read_prefixlen(sock: socket, link: Link, request: bytes, packed: bytes) -> Address:
    """One IPv4 address whole: the kernel has its mask under its label and address."""
    answer = ioctl(sock, uapi.SIOCGIFNETMASK, request)
    prefixlen = int.from_bytes(IFREQ_INET.unpack(answer)[2], "big").bit_count()
    return Address(AF_INET, packed, prefixlen, uapi.RT_SCOPE_UNIVERSE, 0, link.index)


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
