"""Tell the neighbours where an address lives now: gratuitous ARP and unsolicited NA.

A re-used address would be unreachable for whoever still knows its last holder's hardware address
(weave#441). The kernel itself sends both when a link that has `arp_notify` (IPv4) and
`ndisc_notify` (IPv6) set gets a hardware address, be it the one that it has: no raw socket, and
so no NET_RAW.
"""

from __future__ import annotations

import fcntl
import logging
import socket

from waitforweave.attach.operstate import await_up
from waitforweave.attach.sysctl import ensure_switch

log = logging.getLogger(__name__)

SIOCSIFHWADDR, SIOCGIFHWADDR = 0x8924, 0x8927  # linux/sockios.h
IFREQ_BYTES = 40  # linux/if.h
SWITCHES = {4: "net/ipv4/conf/{}/arp_notify", 6: "net/ipv6/conf/{}/ndisc_notify"}


def announce(index: int, name: str, versions: set[int]) -> None:
    """All addresses of the link, those of these IP versions. OSError."""
    for version in versions:
        if not ensure_switch(SWITCHES[version].format(name), "1"):
            family = f"IPv{version}"
            log.warning("%s: its %s addresses are not announced: no /proc/sys", name, family)
    await_up(index)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as any_socket:
        # struct ifreq: the answer to one is the question of the other.
        address = fcntl.ioctl(any_socket, SIOCGIFHWADDR, name.encode().ljust(IFREQ_BYTES, b"\0"))
        fcntl.ioctl(any_socket, SIOCSIFHWADDR, address)
