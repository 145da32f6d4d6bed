"""Whether `ethwe` has what was promised: the same question to every backend."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from pyroute2 import IPRoute

from waitforweave.attach.backend import AttachError
from waitforweave.attach.claims import Network
from waitforweave.attach.links import Interface, find_link, is_up
from waitforweave.attach.operstate import await_up
from waitforweave.attach.pair import INTERFACE
from waitforweave.gate.weave_cidr import ADDRESS, DEFAULT, SUBNET, Wanted


def require_ready(wanted: Sequence[Wanted], default: Network | None = None) -> None:
    """Inside: AttachError unless `ethwe` is there, is up, and has an address for each word.

    `default` is the subnet of words that name none; None where only the network knows it.
    """
    with IPRoute() as inside:
        link = find_link(inside, INTERFACE)
        if link is None:
            raise AttachError(f"{INTERFACE} is not there")
        await_up(link["index"])
        if not is_up(inside, link["index"]):
            raise AttachError(f"{INTERFACE} is not up")
        have = addresses_of(inside, link["index"])
    lacking = [word.text for word in wanted if answer_to(word, have, default) is None]
    if lacking:
        raise AttachError(f"{INTERFACE} lacks {', '.join(lacking)}; it has {shown(have)}")


def addresses_inside(name: str = INTERFACE) -> list[Interface]:
    """In the thread's namespace: the interface's addresses, none where there is no such one."""
    with IPRoute() as inside:
        link = find_link(inside, name)
        return [] if link is None else addresses_of(inside, link["index"])


def addresses_of(ipr: IPRoute, index: int) -> list[Interface]:
    """A link's addresses, without the link-local ones that the kernel gives by itself."""
    found = [
        ipaddress.ip_interface((message.get_attr("IFA_ADDRESS"), message["prefixlen"]))
        for message in ipr.get_addr(index=index)
    ]
    return [each for each in found if not (each.version == 6 and each.is_link_local)]


def answer_to(
    word: Wanted, have: Sequence[Interface], default: Network | None = None
) -> Interface | None:
    """The address that a word got, or None. Pure."""
    if word.kind == ADDRESS:
        exact = ipaddress.ip_interface((word.packed, word.prefixlen))
        return exact if exact in have else None
    network = (
        ipaddress.ip_network((word.packed, word.prefixlen)) if word.kind == SUBNET else default
    )
    for each in have:
        if network is None or each.network == network:
            return each
    return None


def answers(wanted: Sequence[Wanted], have: Sequence[Interface]) -> tuple[str, ...]:
    """The address of each word: named ones first, since an unnamed one is any other."""
    left = list(have)
    found: dict[Wanted, Interface] = {}
    for word in sorted(wanted, key=lambda word: (ADDRESS, SUBNET, DEFAULT).index(word.kind)):
        answer = answer_to(word, left) or answer_to(word, have)
        if answer is None:
            raise AttachError(f"{INTERFACE} lacks {word.text}; it has {shown(have)}")
        found[word] = answer
        if answer in left:
            left.remove(answer)
    return tuple(str(found[word]) for word in wanted)


def shown(have: Sequence[Interface]) -> str:
    return ", ".join(map(str, have)) or "none"
