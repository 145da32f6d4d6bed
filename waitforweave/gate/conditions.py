"""What "ready" means: a verdict with its reasons, from what the kernel said. Pure.

Up is not ready (weave#1942). An interface is ready when it exists, is up, has carrier and a usable
address; and each address that was promised must be on one, each route lead out of one. Nothing is
waited for that nobody asked for: no IPv6 where IPv4 was promised (systemd#15469), no other
interface.
"""

from __future__ import annotations

from _socket import AF_INET, AF_INET6

from waitforweave.gate import asked, uapi
from waitforweave.gate.weave_cidr import ADDRESS, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Final, Literal

    from waitforweave.gate.asked import Asked, Destination
    from waitforweave.gate.links import Links
    from waitforweave.gate.rtnl import Address, Link
    from waitforweave.gate.weave_cidr import Wanted

    State = Literal["ready", "waiting", "hopeless"]

READY: Final = "ready"
WAITING: Final = "waiting"
HOPELESS: Final = "hopeless"  # no event can make it ready any more

# What an interface lacks before its addresses count.
DOWN: Final = "down"
NO_CARRIER: Final = "no carrier"
# What an address lacks.
FAILED: Final = "failed DAD"
TENTATIVE: Final = "still tentative"

# Of interfaces, and of addresses of one, that a line names.
MAX_NAMED = 10

KINDS = {0: "address", AF_INET: "IPv4 address", AF_INET6: "IPv6 address"}


class Finding:
    """One thing that was asked for, and what is there of it: "interface ethwe", "no carrier".

    `tell` says the latter when somebody wants to read it, and from what is there then: most
    verdicts are read by nobody, and the last one stands before the command.
    """

    __slots__ = ("state", "tell", "what")

    def __init__(self, state: State, what: str, tell: Callable[[], str]) -> None:
        self.state: State = state
        self.what = what
        self.tell = tell

    @property
    def found(self) -> str:
        return self.tell()


class Verdict:
    """READY, WAITING or HOPELESS, and why: a finding for each thing that was asked for."""

    __slots__ = ("findings", "state")

    def __init__(self, state: State, findings: Sequence[Finding]) -> None:
        self.state: State = state
        self.findings = findings

    @property
    def reason(self) -> str:
        """In one line: what is missing, or, if nothing is, what is there."""
        shown = [finding for finding in self.findings if finding.state == self.state]
        return "; ".join(f"{finding.what}: {finding.found}" for finding in shown)


def judge(links: Links, wanted: Asked) -> Verdict:
    """Is all there that is `wanted`?"""
    judged = Judged(links, wanted)
    findings = judged.interfaces()
    findings += judged.addresses()
    findings += [judged.route(to) for to in wanted.routes]
    states = [finding.state for finding in findings]
    state: State = HOPELESS if HOPELESS in states else WAITING if WAITING in states else READY
    return Verdict(state, findings)


class Judged:
    """The interfaces that were named, and what each of them lacks, if anything."""

    def __init__(self, links: Links, wanted: Asked) -> None:
        self.links = links
        self.wanted = wanted
        self.by_name = [links.selected(name) for name in wanted.interfaces]
        self.every = {link.index: link for selected in self.by_name for link in selected}
        self.lacks = {
            index: lack_of(link, links.addresses(index), wanted)
            for index, link in self.every.items()
        }

    def interfaces(self) -> list[Finding]:
        """A finding for each name; one for all where any, or a number of them, will do."""
        names, quantity = self.wanted.interfaces, self.wanted.quantity
        if quantity in (asked.ANY, asked.COUNT):
            every = list(self.every.values())
            what = f"{'any' if quantity == asked.ANY else self.wanted.count} of {', '.join(names)}"
            return [self.interface(what, every, self.wanted.count)]
        return [
            self.interface(
                f"interface {name}", selected, len(selected) if quantity == asked.ALL else 1
            )
            for name, selected in zip(names, self.by_name, strict=True)
        ]

    def interface(self, what: str, selected: Sequence[Link], enough: int) -> Finding:
        """What there is of those that were named; `enough` of them must lack nothing."""
        if not selected:
            return Finding(WAITING, what, lambda: f"not there ({self.there()})")
        ready = sum(self.lacks[link.index] is None for link in selected) >= enough
        return Finding(
            READY if ready else WAITING, what, lambda: self.all_shown(what, selected, ready)
        )

    def there(self) -> str:
        """What else there is."""
        return f"interfaces: {named(self.links.all())}"

    def all_shown(self, what: str, selected: Sequence[Link], ready: bool) -> str:
        """Each with its name, unless that stands in front already."""
        if what == f"interface {selected[0].name}":
            return self.shown(selected[0])
        if len(selected) > MAX_NAMED:
            # First those that it is ready by, or is not.
            selected = sorted(selected, key=lambda link: (self.lacks[link.index] is None) != ready)
        return some([f"{quote(link.name)} ({self.shown(link)})" for link in selected])

    def shown(self, link: Link) -> str:
        """What an interface lacks, and the addresses that it has."""
        has = some([address.text for address in self.links.addresses(link.index)], " ")
        words = [self.lacks[link.index], f"has {has}" if has else None]
        return ", ".join(filter(None, words)) or self.wanted.state

    def addresses(self) -> list[Finding]:
        """A finding for each address that was named."""
        return [self.address(word) for word in self.wanted.addresses]

    def address(self, word: Wanted) -> Finding:
        """Is an address, or one of a subnet, usable on one of the interfaces?"""
        what = f"address {word.text}"
        there = [
            (link, address)
            for link in self.every.values()
            for address in self.links.addresses(link.index)
            if matches(word, address)
        ]
        lacks = [(link, link_lack(link) or address_lack(address)) for link, address in there]
        ready = [link for link, lack in lacks if lack is None]
        if ready:
            return Finding(READY, what, lambda: f"on {named(ready)}")
        # For one by its name no other will do: this promise can never be kept (plugins#1168).
        if word.kind == ADDRESS and any(has_failed(address) for _, address in there):
            return Finding(HOPELESS, what, lambda: "in use by another host (DAD failed)")
        return Finding(
            WAITING,
            what,
            lambda: some([f"on {quote(link.name)}, {lack}" for link, lack in lacks]) or "not there",
        )

    def route(self, to: Destination) -> Finding:
        """Does a route lead there, out of one of the interfaces, and does that carry traffic?"""
        routes = [r for r in self.links.routes_by_key.values() if to.is_reached_by(r)]
        indices = {index for route in routes for index in route.indices}
        what, ours = f"route {to.text}", indices & self.every.keys()
        leads = [link for link in self.links.all() if link.index in (ours or indices)]
        ready = [link for link in leads if ours and link_lack(link) is None]
        if ready:
            return Finding(READY, what, lambda: f"out of {named(ready)}")
        if ours:
            lacks = [f"out of {quote(link.name)}, {link_lack(link)}" for link in leads]
            return Finding(WAITING, what, lambda: some(lacks))
        missing = f"only out of {named(leads)}" if leads else "not there"
        return Finding(WAITING, what, lambda: missing)


def named(links: Sequence[Link]) -> str:
    return some([quote(link.name) for link in links]) or "none"


def some(words: Sequence[str], between: str = ", ") -> str:
    """As many as a person reads: a host may have a thousand."""
    more = [f"and {len(words) - MAX_NAMED} more"] if len(words) > MAX_NAMED else []
    return between.join([*words[:MAX_NAMED], *more])


def lack_of(link: Link, addresses: Sequence[Address], wanted: Asked) -> str | None:
    """The first thing that an interface lacks of the state that is wanted; None if nothing."""
    if wanted.state == asked.PRESENT:
        return None
    if wanted.state == asked.UP:
        return None if link.flags & uapi.IFF_UP else DOWN
    lack = link_lack(link)
    if lack is not None or wanted.state == asked.CARRIER:
        return lack
    counting = [address for address in addresses if counts(address, wanted)]
    lacks = [address_lack(address) for address in counting]
    if None in lacks:
        return None
    if counting:
        return f"{counting[0].text} {lacks[0]}"
    kind = KINDS[wanted.family]
    # The link-local one, say, stands beside this in the message.
    others = any(wanted.family in (0, address.family) for address in addresses)
    return f"no global {kind}" if others else f"no {kind}"


def link_lack(link: Link) -> str | None:
    """What keeps an interface from carrying traffic."""
    if not link.flags & uapi.IFF_UP:
        return DOWN
    # The flag and not operstate: the kernel's link watch may bring operstate up to date only a
    # second after the carrier (net/core/link_watch.c, linkwatch_schedule_work).
    if not link.flags & uapi.IFF_LOWER_UP:
        return NO_CARRIER
    # Carrier, but no traffic yet: Documentation/networking/operstates.rst.
    if link.operstate in (uapi.IF_OPER_DORMANT, uapi.IF_OPER_TESTING):
        return "dormant" if link.operstate == uapi.IF_OPER_DORMANT else "testing"
    return None


def address_lack(address: Address) -> str | None:
    """What keeps an address from being used: bind() would give EADDRNOTAVAIL (systemd#2037)."""
    if has_failed(address):
        return FAILED
    # An optimistic one can be bound while it is tentative (RFC 4429; net/ipv6/addrconf.c,
    # ipv6_chk_addr_and_flags).
    settling = address.flags & (uapi.IFA_F_TENTATIVE | uapi.IFA_F_OPTIMISTIC)
    return TENTATIVE if settling == uapi.IFA_F_TENTATIVE else None


def has_failed(address: Address) -> bool:
    # The kernel defines the flag for IPv6 alone (include/uapi/linux/if_addr.h).
    return address.family == AF_INET6 and bool(address.flags & uapi.IFA_F_DADFAILED)


def counts(address: Address, wanted: Asked) -> bool:
    """Is this an address as an interface must have one?"""
    if wanted.family not in (0, address.family):
        return False
    # Not the link-local one, which IPv6 has by itself (systemd#40599), unless it was named.
    if wanted.scope == asked.ANY_SCOPE or address.scope < uapi.RT_SCOPE_LINK:
        return True
    return any(matches(word, address) for word in wanted.addresses)


def matches(word: Wanted, address: Address) -> bool:
    """Is this the address, or one of the subnet, that was named?"""
    if address.family != word.family:
        return False
    if word.kind == ADDRESS:
        return address.packed == word.packed and word.prefixlen in (0, address.prefixlen)
    return network(address.packed, word.prefixlen) == network(word.packed, word.prefixlen)


def network(packed: bytes, prefixlen: int) -> int:
    """The first `prefixlen` bits of an address."""
    return int.from_bytes(packed, "big") >> (8 * len(packed) - prefixlen)
