"""What to look at next, when the wait was in vain. Loaded only then."""

from __future__ import annotations

from _socket import AF_INET6

from waitforweave.gate import procfs
from waitforweave.gate.conditions import (
    DOWN,
    FAILED,
    HOPELESS,
    NO_CARRIER,
    READY,
    TENTATIVE,
    Judged,
    address_lack,
    counts,
    link_lack,
    matches,
    named,
)
from waitforweave.gate.weave_cidr import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from waitforweave.gate.asked import Asked
    from waitforweave.gate.conditions import Verdict
    from waitforweave.gate.links import Links
    from waitforweave.gate.rtnl import Address

INET6_OFF = "/proc/sys/net/ipv6/conf/{}/disable_ipv6"
ANOTHER = "give this container or the other host another address"
WAY_OUT = "WAIT_FOR_WEAVE_SKIP=yes runs the command without waiting"
LONGER = "WAIT_FOR_WEAVE_TIMEOUT=N waits longer (0: for ever)"


def hint(verdict: Verdict, wanted: Asked, links: Links) -> str:
    """One line, about the first thing that is missing."""
    # What is hopeless no longer wait would bring.
    ways = WAY_OUT if verdict.state == HOPELESS else f"{WAY_OUT}, {LONGER}"
    return f"{advice(verdict, wanted, Judged(links, wanted))}; {ways}"


def advice(verdict: Verdict, wanted: Asked, judged: Judged) -> str:
    """What a person can do about it."""
    lacks = set(judged.lacks.values())
    if wanted.routes:
        # A route's interface must carry traffic, whatever else is asked of it.
        lacks.update(link_lack(link) for link in judged.every.values())
    if verdict.state == HOPELESS:
        return ANOTHER
    if not all(judged.by_name):
        names = zip(wanted.interfaces, judged.by_name, strict=True)
        return absent([name for name, found in names if not found])
    if DOWN in lacks:
        return "nobody has set the interface up (ip link set ... up)"
    if NO_CARRIER in lacks:
        return "the other end of the interface is down or not there (ip link)"
    if not any(lacks) and all(finding.state == READY for finding in judged.addresses()):
        return "somebody has to add the route (ip route)"
    settling = {address_lack(address) for address in relevant(judged)}
    if FAILED in settling:
        return ANOTHER
    if TENTATIVE in settling:
        return "IPv6 looks for the same address on other hosts, which takes a second or two"
    off = [link for link in judged.every.values() if is_inet6_off(link.name)]
    if off and AF_INET6 in (wanted.family, *(word.family for word in wanted.addresses)):
        return f"IPv6 is off on {named(off)} ({INET6_OFF.format(quote(off[0].name))} is 1)"
    return "somebody has to add the address (ip addr)"


def relevant(judged: Judged) -> Iterator[Address]:
    """What would do, were it usable: addresses that were named, else those of what lacks one."""
    wanted = judged.wanted
    for index, lack in judged.lacks.items():
        for address in judged.links.addresses(index):
            would_do = lack is not None and not wanted.addresses and counts(address, wanted)
            if would_do or any(matches(word, address) for word in wanted.addresses):
                yield address


def absent(interfaces: Sequence[str]) -> str:
    if "ethwe" in interfaces:
        return "is the container attached? (weavewait attach CONTAINER)"
    return "is the name right? (ip link)"


def is_inet6_off(interface: str) -> bool:
    return procfs.read_file(INET6_OFF.format(interface)) == b"1\n"
