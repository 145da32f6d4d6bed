"""After a wait in vain: one line, about the first thing that is missing."""

from __future__ import annotations

import pytest

from tests.unit.gate.facts import UP, address, link, route
from waitforweave.gate import conditions, hints, options
from waitforweave.gate.links import Links
from waitforweave.gate.routes import Route
from waitforweave.gate.rtnl import Address, Link

FAILED_V6 = address("2001:db8::5/64", flags=0xC8)


@pytest.fixture(autouse=True)
def inet6_is_off_on_ethwe(monkeypatch):
    monkeypatch.setattr(hints, "is_inet6_off", lambda name: name == "ethwe")


@pytest.mark.parametrize(
    ("asked", "facts", "advice"),
    [
        ("", [], "is the container attached? (weavewait attach CONTAINER)"),
        ("--interface ethwe --interface tun0", [], "is the container attached?"),
        # ethwe is there: it is the other name that may be wrong.
        ("--interface ethwe --interface tun0", [link()], "is the name right? (ip link)"),
        ("--interface tun0", [link()], "is the name right? (ip link)"),
        ("--interface e*", [], "is the name right? (ip link)"),
        ("", [link(flags=0)], "nobody has set the interface up (ip link set ... up)"),
        ("", [link(flags=UP)], "the other end of the interface is down or not there (ip link)"),
        ("", [link()], "somebody has to add the address (ip addr)"),
        ("--address 10.2.1.5", [link(), address("10.2.1.6/24")], "somebody has to add the address"),
        ("--route default", [link(), address("10.2.1.6/24")],
         "somebody has to add the route (ip route)"),
        ("--state up --route default", [link(flags=UP), route("0.0.0.0/0", 3)],
         "the other end of the interface is down or not there (ip link)"),
        ("--address 10.2.1.5 --route default", [link(), address("10.2.1.6/24")],
         "somebody has to add the address"),
        ("--family inet6", [link()],
         "IPv6 is off on ethwe (/proc/sys/net/ipv6/conf/ethwe/disable_ipv6 is 1)"),
        ("", [link(), FAILED_V6], "give this container or the other host another address"),
        ("--address net:2001:db8::/64", [link(), FAILED_V6], "give this container or the other"),
        ("--interface ethwe --interface eth0",
         [link(), address("10.2.1.6/24"), FAILED_V6, link(9, "eth0")], "somebody has to add the"),
        ("--address 10.2.1.5", [link(), FAILED_V6], "somebody has to add the address"),
        ("--address 2001:db8::7", [link(), address("2001:db8::7/64", flags=0xC0)],
         "IPv6 looks for the same address on other hosts, which takes a second or two"),
        ("--address fd00::1", [link(), address("10.2.1.6/24")], "IPv6 is off on ethwe"),
        ("--interface eth0 --family inet6", [link(2, "eth0")], "somebody has to add the address"),
    ],
)  # fmt: skip
def test_the_first_thing_that_is_missing(
    asked: str, facts: list[Link | Address | Route], advice: str
) -> None:
    links = Links()
    for fact in facts:
        links.update(fact)
    wanted = options.read(asked.split(), {}).asked
    hint = hints.hint(conditions.judge(links, wanted), wanted, links)
    assert hint.startswith(advice)
    assert hint.endswith(
        "; WAIT_FOR_WEAVE_SKIP=yes runs the command without waiting, "
        "WAIT_FOR_WEAVE_TIMEOUT=N waits longer (0: for ever)"
    )


def test_what_is_hopeless_is_not_to_be_waited_for_longer() -> None:
    links = Links()
    for fact in (link(), FAILED_V6):
        links.update(fact)
    wanted = options.read(["--address", "2001:db8::5/64"], {}).asked
    assert hints.hint(conditions.judge(links, wanted), wanted, links) == (
        "give this container or the other host another address; "
        "WAIT_FOR_WEAVE_SKIP=yes runs the command without waiting"
    )


def test_an_odd_name_does_not_reach_the_terminal_as_it_is(monkeypatch) -> None:
    monkeypatch.setattr(hints, "is_inet6_off", lambda name: True)
    links = Links()
    links.update(link(3, "\x1b[2J"))
    wanted = options.read(["--interface", "*", "--family", "inet6"], {}).asked
    assert "\x1b" not in hints.hint(conditions.judge(links, wanted), wanted, links)


def test_a_route_that_leads_elsewhere_is_a_route_that_is_missing() -> None:
    links = Links()
    for fact in (link(), address("10.2.1.6/24"), link(9, "eth0"), route("0.0.0.0/0", 9)):
        links.update(fact)
    wanted = options.read(["--route", "default"], {}).asked
    hint = hints.hint(conditions.judge(links, wanted), wanted, links)
    assert hint.startswith("somebody has to add the route")
