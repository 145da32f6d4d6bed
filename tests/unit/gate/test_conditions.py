"""What "ready" means, as a table: facts, promise, verdict and its reason."""

from __future__ import annotations

import pytest

from tests.unit.gate.facts import READY, UP, address, link, route
from waitforweave.gate import conditions, options, uapi
from waitforweave.gate.links import Links
from waitforweave.gate.routes import Route
from waitforweave.gate.rtnl import Address, Link

Facts = list[Link | Address | Route]

TENTATIVE, FAILED, OPTIMISTIC = 0xC0, 0xC8, 0xC4
TENTATIVE_V6 = address("2001:db8::5/64", flags=TENTATIVE)
FAILED_V6 = address("2001:db8::5/64", flags=FAILED)
LINK_LOCAL = address("fe80::1/64", scope=253)


def judge(promise: str, *facts: Link | Address | Route, asked: str = "") -> conditions.Verdict:
    """The verdict for the options of a command line, and what WEAVE_CIDR promises."""
    links = Links()
    for fact in facts:
        links.update(fact)
    chosen = options.read(asked.split(), {b"WEAVE_CIDR": promise.encode()})
    return conditions.judge(links, chosen.asked)


@pytest.mark.parametrize(
    ("promise", "facts"),
    [
        ("10.2.1.5/24", [link(), address("10.2.1.5/24")]),
        ("10.2.1.5/24", [link(operstate=0), address("10.2.1.5/24")]),
        # The link watch has not run yet: no IFF_RUNNING, operstate of before.
        ("10.2.1.5/24", [link(flags=UP | uapi.IFF_LOWER_UP, operstate=3), address("10.2.1.5/24")]),
        ("10.2.1.5/24", [link(), address("10.9.9.9/8"), address("10.2.1.5/24")]),
        # No wait for IPv6 where only IPv4 was promised (systemd#15469).
        ("10.2.1.5/24", [link(), address("10.2.1.5/24"), TENTATIVE_V6]),
        ("10.2.1.5/24 10.2.1.6/24", [link(), address("10.2.1.6/24"), address("10.2.1.5/24")]),
        ("10.2.1.5/24 2001:db8::5/64", [link(), address("10.2.1.5/24"), address("2001:db8::5/64")]),
        ("fe80::1/64", [link(), LINK_LOCAL]),
        ("net:10.2.2.0/24", [link(), address("10.2.2.77/24")]),
        ("net:10.2.2.0/24", [link(), address("10.2.2.77/32")]),
        ("net:10.2.2.0/23", [link(), address("10.2.3.77/23")]),
        ("net:2001:db8::/32", [link(), address("2001:db8:1::5/64")]),
        ("net:10.2.2.0/24 net:default", [link(), address("10.2.2.77/24")]),
        ("", [link(), address("10.2.1.5/24")]),
        ("", [link(), address("2001:db8::5/64")]),
        ("", [link(), LINK_LOCAL, address("10.2.1.5/24")]),
        ("", [link(), address("2001:db8::5/64", flags=TENTATIVE), address("2001:db8::6/64")]),
        ("2001:db8::5/64", [link(), address("2001:db8::5/64", flags=OPTIMISTIC)]),
        ("net:default", [link(), address("10.32.0.1/12")]),
    ],
)  # fmt: skip
def test_a_promise_that_is_kept(promise: str, facts: Facts) -> None:
    assert judge(promise, *facts).state == conditions.READY


@pytest.mark.parametrize(
    ("promise", "facts", "reason"),
    [
        ("10.2.1.5/24", [],
         "interface ethwe: not there (interfaces: none); address 10.2.1.5/24: not there"),
        ("", [link(1, "lo"), link(2, "eth0")],
         "interface ethwe: not there (interfaces: lo, eth0)"),
        ("", [link(3, "ethwe0"), address("10.2.1.5/24")],
         "interface ethwe: not there (interfaces: ethwe0)"),
        ("10.2.1.5/24", [link(), link(4, "eth0"), address("10.2.1.5/24", 4)],
         "interface ethwe: no address; address 10.2.1.5/24: not there"),
        ("10.2.1.5/24", [link(flags=0, operstate=2), address("10.2.1.5/24")],
         "interface ethwe: down, has 10.2.1.5/24; address 10.2.1.5/24: on ethwe, down"),
        ("", [link(flags=UP, operstate=3), address("10.2.1.5/24")],
         "interface ethwe: no carrier, has 10.2.1.5/24"),
        ("", [link(operstate=5), address("10.2.1.5/24")],
         "interface ethwe: dormant, has 10.2.1.5/24"),
        ("", [link(operstate=4), address("10.2.1.5/24")],
         "interface ethwe: testing, has 10.2.1.5/24"),
        ("10.2.1.5/24", [link(), address("10.2.1.5/16")], "address 10.2.1.5/24: not there"),
        ("10.2.1.5/24 10.2.1.6/24", [link(), address("10.2.1.5/24")],
         "address 10.2.1.6/24: not there"),
        ("2001:db8::5/64", [link(), address("10.2.1.5/24"), TENTATIVE_V6],
         "address 2001:db8::5/64: on ethwe, still tentative"),
        ("net:2001:db8::/64", [link(), address("10.2.1.5/24"), FAILED_V6],
         "address net:2001:db8::/64: on ethwe, failed DAD"),
        ("net:10.2.2.0/24", [link(), address("10.2.3.1/24")],
         "address net:10.2.2.0/24: not there"),
        ("net:10.2.2.0/24", [link(), address("2001:db8::5/64")],
         "address net:10.2.2.0/24: not there"),
        # Every IPv6 interface has one by itself (systemd#40599).
        ("", [link(), LINK_LOCAL], "interface ethwe: no global address, has fe80::1/64"),
        ("", [link(), address("127.0.0.2/8", scope=254)],
         "interface ethwe: no global address, has 127.0.0.2/8"),
        ("", [link(), TENTATIVE_V6],
         "interface ethwe: 2001:db8::5/64 still tentative, has 2001:db8::5/64"),
        ("", [link(), FAILED_V6],
         "interface ethwe: 2001:db8::5/64 failed DAD, has 2001:db8::5/64"),
    ],
)  # fmt: skip
def test_a_promise_that_is_not_kept_yet(promise: str, facts: Facts, reason: str) -> None:
    verdict = judge(promise, *facts)
    assert verdict.reason == reason
    assert verdict.state == conditions.WAITING


@pytest.mark.parametrize("flags", [READY, UP, 0])
def test_a_promised_address_that_another_host_has_is_hopeless(flags: int) -> None:
    verdict = judge("10.2.1.5/24 2001:db8::5/64", link(flags=flags), FAILED_V6)
    assert verdict.state == conditions.HOPELESS
    assert verdict.reason == "address 2001:db8::5/64: in use by another host (DAD failed)"


def test_an_address_may_fail_on_one_interface_where_another_has_it() -> None:
    there: Facts = [ETH0, TUN0, address("2001:db8::5/64", 2, FAILED), address("2001:db8::5/64", 5)]
    verdict = judge("", *there, asked=f"{BOTH} --any --address 2001:db8::5")
    assert (verdict.state, verdict.findings[1].found) == (conditions.READY, "on tun0")


def test_an_address_that_nobody_promised_may_fail() -> None:
    verdict = judge("10.2.1.5/24", link(), address("10.2.1.5/24"), FAILED_V6)
    assert verdict.state == conditions.READY


def test_an_odd_name_does_not_reach_the_terminal_as_it_is() -> None:
    verdict = judge("", link(3, "\x1b[2J"))
    assert verdict.reason == "interface ethwe: not there (interfaces: \\x1b[2J)"


MANY = [link(n, f"eth{n}", UP) for n in range(1, 1001)]


def test_of_a_thousand_interfaces_a_few_are_named() -> None:
    verdict = judge("", *MANY)
    assert verdict.reason == (
        "interface ethwe: not there (interfaces: eth1, eth2, eth3, eth4, eth5, eth6, eth7, eth8, "
        "eth9, eth10, and 990 more)"
    )


@pytest.mark.parametrize(
    ("how", "of", "first"),
    [("--all", "interface eth*", "eth1 (no carrier), eth2"),
     ("--any", "any of eth*", "eth999 (has 10.2.1.5/24), eth1 (no carrier)")],
)  # fmt: skip
def test_of_a_thousand_those_that_it_is_about_are_named(how: str, of: str, first: str) -> None:
    facts: Facts = [*MANY, link(999, "eth999"), address("10.2.1.5/24", 999)]
    verdict = judge("", *facts, asked=f"--interface eth* {how}")
    assert verdict.reason.startswith(f"{of}: {first}")
    assert verdict.reason.endswith(", and 990 more")


def test_of_a_thousand_addresses_a_few_are_named() -> None:
    facts = [address(f"10.3.{n >> 8}.{n & 255}/16") for n in range(1, 1001)]
    verdict = judge("10.2.1.5/24", link(), *facts)
    assert verdict.findings[0].found.endswith(" 10.3.0.10/16 and 990 more")


BOTH = "--interface eth0 --interface tun0"
ETH0, TUN0, ETH1 = link(2, "eth0"), link(5, "tun0"), link(6, "eth1", UP)
V4, V4_TUN = address("10.2.1.5/24", 2), address("10.8.0.2/32", 5)
V6 = address("2001:db8::7/64", 2)
LOCAL = address("fe80::2/64", 2, scope=253)


@pytest.mark.parametrize(
    ("asked", "facts"),
    [
        (BOTH, [ETH0, V4, TUN0, V4_TUN]),
        (f"{BOTH} --any", [TUN0, V4_TUN]),
        ("--interface eth* --any", [ETH0, V4, ETH1]),
        # One that a glob matches is enough, unless every one is asked for.
        ("--interface eth*", [ETH0, V4, ETH1]),
        ("--interface eth* --all --state up", [ETH0, ETH1]),
        ("--interface eth? --interface tun* --count 2", [ETH0, V4, ETH1, TUN0, V4_TUN]),
        ("--interface * --count 3 --state present", [ETH0, ETH1, TUN0]),
        ("--interface eth1 --state present", [link(6, "eth1", 0)]),
        ("--interface eth1 --state up", [ETH1]),
        ("--interface eth0 --state carrier", [ETH0]),
        ("--interface eth0 --address 10.2.1.5", [ETH0, V4]),
        (f"{BOTH} --address 10.8.0.2 --address 10.2.1.5/24", [ETH0, V4, TUN0, V4_TUN]),
        (f"{BOTH} --any --address 10.2.1.5/24", [ETH0, V4]),
        ("--interface eth0 --family inet6", [ETH0, V6]),
        ("--interface eth0 --family inet6 --scope any", [ETH0, LOCAL]),
        ("--interface eth0 --scope any", [ETH0, LOCAL]),
        ("--interface eth0 --address fe80::2", [ETH0, LOCAL]),
        ("--interface eth0 --route default", [ETH0, V4, route("0.0.0.0/0", 2)]),
        ("--interface eth0 --route default", [ETH0, V4, route("::/0", 2)]),
        ("--interface eth0 --route 224.0.0.0/4", [ETH0, V4, route("224.0.0.0/4", 2)]),
        ("--interface eth0 --route 10.9.9.9", [ETH0, V4, route("10.9.9.9/32", 2)]),
        (f"{BOTH} --any --route ::/0", [ETH0, V4, route("::/0", 9, 2)]),
        ("--interface eth* --any --route default", [ETH0, V4, ETH1, route("0.0.0.0/0", 6, 2)]),
    ],
)
def test_what_options_ask_for_is_there(asked: str, facts: Facts) -> None:
    verdict = judge("", *facts, asked=asked)
    assert (verdict.state, verdict.reason) == (conditions.READY, verdict.reason)


@pytest.mark.parametrize(
    ("asked", "facts", "reason"),
    [
        (BOTH, [ETH0, V4], "interface tun0: not there (interfaces: eth0)"),
        (BOTH, [ETH0, V4, TUN0], "interface tun0: no address"),
        (f"{BOTH} --any", [], "any of eth0, tun0: not there (interfaces: none)"),
        (f"{BOTH} --any", [ETH0, TUN0], "any of eth0, tun0: eth0 (no address), tun0 (no address)"),
        ("--interface eth*", [ETH1], "interface eth*: eth1 (no carrier)"),
        ("--interface eth* --all", [ETH0, V4, ETH1],
         "interface eth*: eth0 (has 10.2.1.5/24), eth1 (no carrier)"),
        ("--interface eth* --all", [TUN0], "interface eth*: not there (interfaces: tun0)"),
        ("--interface eth* --count 2", [ETH0, V4, ETH1],
         "2 of eth*: eth0 (has 10.2.1.5/24), eth1 (no carrier)"),
        # One that two names match is still one.
        ("--interface eth* --interface eth0 --count 2", [ETH0, V4],
         "2 of eth*, eth0: eth0 (has 10.2.1.5/24)"),
        ("--interface eth0 --family inet6", [ETH0, V4],
         "interface eth0: no IPv6 address, has 10.2.1.5/24"),
        ("--interface eth0 --family inet6", [ETH0, LOCAL],
         "interface eth0: no global IPv6 address, has fe80::2/64"),
        ("--interface eth0 --family inet --scope any", [ETH0, LOCAL],
         "interface eth0: no IPv4 address, has fe80::2/64"),
        ("--interface eth0 --address 10.2.1.6", [ETH0, V4], "address 10.2.1.6: not there"),
        # An address counts on an interface that carries traffic, also where another is ready.
        ("--interface eth* --any --address 10.2.9.9", [ETH0, V4, ETH1, address("10.2.9.9/24", 6)],
         "address 10.2.9.9: on eth1, no carrier"),
        ("--interface eth0 --route default", [ETH0, V4], "route default: not there"),
        ("--interface eth0 --route default", [ETH0, V4, TUN0, route("0.0.0.0/0", 5)],
         "route default: only out of tun0"),
        ("--interface eth0 --route ::/0", [ETH0, V4, route("0.0.0.0/0", 2)],
         "route ::/0: not there"),
        ("--interface eth0 --family inet --route default", [ETH0, V4, route("::/0", 2)],
         "route default: not there"),
        # A wider network is another one.
        ("--interface eth0 --route 10.9.9.0/24", [ETH0, V4, route("10.9.0.0/16", 2)],
         "route 10.9.9.0/24: not there"),
        # It may have no interface at all.
        ("--interface eth0 --route default", [ETH0, V4, route("0.0.0.0/0")],
         "route default: not there"),
        # A route leads nowhere while its interface does not carry traffic.
        ("--interface eth1 --state up --route default", [ETH1, route("0.0.0.0/0", 6)],
         "route default: out of eth1, no carrier"),
        ("--interface eth* --any --state present --route default",
         [ETH1, link(7, "eth2", 0), route("0.0.0.0/0", 6, 7)],
         "route default: out of eth1, no carrier, out of eth2, down"),
    ],
)  # fmt: skip
def test_what_options_ask_for_is_missing(asked: str, facts: Facts, reason: str) -> None:
    verdict = judge("", *facts, asked=asked)
    assert (verdict.state, verdict.reason) == (conditions.WAITING, reason)


def test_what_weave_promised_is_not_wanted_of_other_interfaces() -> None:
    asked = "--interface eth0"
    assert judge("10.2.9.9/24", ETH0, V4, asked=asked).state == conditions.READY
    both = "--interface eth0 --interface ethwe"
    verdict = judge("10.2.9.9/24", ETH0, V4, link(), address("10.3.3.3/8"), asked=both)
    assert verdict.reason == "address 10.2.9.9/24: not there"
