"""`--explain`: what would be waited for, and what is there now. For a person who debugs."""

from __future__ import annotations

from _socket import inet_ntop

from waitforweave import __version__
from waitforweave.gate import report, uapi
from waitforweave.gate.conditions import READY
from waitforweave.gate.execute import PATH_MAX
from waitforweave.gate.weave_cidr import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from waitforweave.gate.conditions import Verdict
    from waitforweave.gate.links import Links
    from waitforweave.gate.options import Options
    from waitforweave.gate.rtnl import Link

# Documentation/networking/operstates.rst, by IF_OPER_*.
OPERSTATES = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")


def text(chosen: Options, verdict: Verdict, links: Links) -> str:
    """All of it, as lines."""
    return "".join(f"{line}\n" for line in lines(chosen, verdict, links))


def lines(chosen: Options, verdict: Verdict, links: Links) -> Iterator[str]:
    limit = "for ever" if chosen.seconds is None else f"at most {report.duration(chosen.seconds)}"
    # As WEAVE_CIDR=none has it.
    limit = limit if chosen.asked.interfaces else "for nothing"
    then = f"then run {quote(chosen.command[0], PATH_MAX)}" if chosen.command else "then exit 0"
    yield f"wait-for-weave {__version__} would wait {limit}, {then}."
    yield f"Asked for (state {chosen.asked.state}):"
    for finding in verdict.findings:
        yield report.shown(finding)
    if not verdict.findings:
        yield "  nothing"
    yield "Interfaces:"
    for link in links.all():
        yield f"  {interface(link, links)}"
    if chosen.asked.routes:
        yield "Routes:"
        yield from (f"  {line}" for line in routes(links))
    yield "Ready." if verdict.state == READY else "Not ready."


def interface(link: Link, links: Links) -> str:
    """One interface with its flags and addresses."""
    flags = [
        "up" if link.flags & uapi.IFF_UP else "down",
        "carrier" if link.flags & uapi.IFF_LOWER_UP else "no carrier",
    ]
    if link.operstate < len(OPERSTATES):
        flags.append(f"operstate {OPERSTATES[link.operstate]}")
    addresses = " ".join(address.text for address in links.addresses(link.index))
    return f"{quote(link.name):<15} {', '.join(flags)}; {addresses or 'no address'}"


def routes(links: Links) -> Iterator[str]:
    """All routes, also those that nobody asked for."""
    names = {link.index: quote(link.name) for link in links.all()}
    for route in links.routes_by_key.values():
        where = ", ".join(names.get(index, f"interface {index}") for index in route.indices)
        to = f"{inet_ntop(route.family, route.packed)}/{route.prefixlen}"
        yield f"{to} out of {where or 'nothing'}"
