"""What "ready" means: a verdict with its reason, from what the kernel said. Pure.

Up is not ready (weave#1942). An interface is ready when it exists, is up, has carrier and has
every address that was promised, each usable. Nothing is waited for that nobody promised: no IPv6
for a promise of IPv4 (systemd#15469), no other interface.
"""

from __future__ import annotations

from _socket import AF_INET6

from waitforweave.gate import uapi
from waitforweave.gate.weave_cidr import ADDRESS, DEFAULT, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final, Literal

    from waitforweave.gate.links import Links
    from waitforweave.gate.rtnl import Address, Link
    from waitforweave.gate.weave_cidr import Wanted

    State = Literal["ready", "waiting", "hopeless"]

READY: Final = "ready"
WAITING: Final = "waiting"
HOPELESS: Final = "hopeless"  # no event can make it ready any more


class Verdict:
    """READY, WAITING or HOPELESS, and why: "ethwe: no carrier; wanted 10.2.1.5/24; has none"."""

    __slots__ = ("reason", "state")

    def __init__(self, state: State, reason: str) -> None:
        self.state: State = state
        self.reason = reason


def judge(links: Links, interface: str, wanted: Sequence[Wanted]) -> Verdict:
    """Does `interface` have all that is `wanted`?"""
    link = links.find(interface)
    if link is None:
        there = ", ".join(map(quote, links.names())) or "none"
        return Verdict(WAITING, f"no {interface} (interfaces: {there}); wanted {listed(wanted)}")
    addresses = links.addresses(link.index)
    failed = [lack for word in wanted if (lack := duplicate(word, addresses))]
    lacks = failed or [*link_lacks(link), *filter(None, (lack_of(w, addresses) for w in wanted))]
    state: State = HOPELESS if failed else WAITING if lacks else READY
    has = ", ".join(a.text for a in addresses) or "no address"
    reason = f"{interface}: {', '.join(lacks) or 'ready'}; wanted {listed(wanted)}; has {has}"
    return Verdict(state, reason)


def link_lacks(link: Link) -> list[str]:
    """What the interface itself lacks, the first thing only: [] or one reason."""
    if not link.flags & uapi.IFF_UP:
        return ["down"]
    # The flag and not operstate: the kernel's link watch may bring operstate up to date only a
    # second after the carrier (net/core/link_watch.c, linkwatch_schedule_work).
    if not link.flags & uapi.IFF_LOWER_UP:
        return ["no carrier"]
    # Carrier, but no traffic yet: Documentation/networking/operstates.rst.
    if link.operstate in (uapi.IF_OPER_DORMANT, uapi.IF_OPER_TESTING):
        return ["dormant" if link.operstate == uapi.IF_OPER_DORMANT else "testing"]
    return []


def lack_of(wanted: Wanted, addresses: Sequence[Address]) -> str | None:
    """Why no address of the interface keeps this promise yet; None if one does."""
    matching = [address for address in addresses if matches(wanted, address)]
    if any(is_usable(address) for address in matching):
        return None
    if matching:
        # bind() to it would give EADDRNOTAVAIL (systemd#2037).
        state = "failed DAD" if has_failed(matching[0]) else "is still tentative"
        return f"{matching[0].text} {state}"
    return "no address" if wanted.kind == DEFAULT else f"no {wanted.text}"


def duplicate(wanted: Wanted, addresses: Sequence[Address]) -> str | None:
    """Why this promise can never be kept; None while it can (plugins#1168).

    Only for an address by its name: another of the same subnet may still come.
    """
    if wanted.kind != ADDRESS:
        return None
    failed = any(has_failed(address) for address in addresses if matches(wanted, address))
    return f"{wanted.text} is in use by another host (DAD failed)" if failed else None


def matches(wanted: Wanted, address: Address) -> bool:
    """Is this the address, or one of the addresses, that was promised?"""
    if wanted.kind == DEFAULT:
        # Not the link-local one, which IPv6 has by itself (systemd#40599).
        return address.scope < uapi.RT_SCOPE_LINK
    if address.family != wanted.family:
        return False
    if wanted.kind == ADDRESS:
        return (address.packed, address.prefixlen) == (wanted.packed, wanted.prefixlen)
    return network(address.packed, wanted.prefixlen) == network(wanted.packed, wanted.prefixlen)


def network(packed: bytes, prefixlen: int) -> int:
    """The first `prefixlen` bits of an address."""
    return int.from_bytes(packed, "big") >> (8 * len(packed) - prefixlen)


def is_usable(address: Address) -> bool:
    return not address.flags & (uapi.IFA_F_TENTATIVE | uapi.IFA_F_DADFAILED)


def has_failed(address: Address) -> bool:
    # The kernel defines the flag for IPv6 alone (include/uapi/linux/if_addr.h).
    return address.family == AF_INET6 and bool(address.flags & uapi.IFA_F_DADFAILED)


def listed(wanted: Sequence[Wanted]) -> str:
    return ", ".join(w.text if w.kind != DEFAULT else "any address" for w in wanted)
