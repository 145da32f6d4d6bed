"""Tell the neighbours where an address lives now: gratuitous ARP and unsolicited NA.

A re-used address would be unreachable for whoever still knows its last holder's hardware address
(weave#441). The kernel itself sends both when a link that has `arp_notify` (IPv4) and
`ndisc_notify` (IPv6) set gets a hardware address, be it the one that it has: no raw socket, and
so no NET_RAW.
"""

from __future__ import annotations

import logging

from pyroute2 import IPRoute

from waitforweave.attach.links import await_up
from waitforweave.attach.sysctl import ensure_switch

log = logging.getLogger(__name__)

SWITCHES = {4: "net/ipv4/conf/{}/arp_notify", 6: "net/ipv6/conf/{}/ndisc_notify"}


def announce(ipr: IPRoute, index: int, name: str, versions: set[int]) -> None:
    """All addresses of the link, those of these IP versions. NetlinkError."""
    for version in versions:
        if not ensure_switch(SWITCHES[version].format(name), "1"):
            log.warning("%s: its IPv%d addresses are not announced: no /proc/sys", name, version)
    await_up(ipr, index)
    address = ipr.link("get", index=index)[0].get_attr("IFLA_ADDRESS")
    ipr.link("set", index=index, address=address)
