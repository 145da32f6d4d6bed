"""What "ready" means, as a table: facts, promise, verdict and its reason."""

from __future__ import annotations

import pytest

from tests.unit.gate.facts import READY, UP, address, link
from waitforweave.gate import conditions, uapi, weave_cidr
from waitforweave.gate.links import Links
from waitforweave.gate.rtnl import Address, Link

TENTATIVE, FAILED = 0xC0, 0xC8
TENTATIVE_V6 = address("2001:db8::5/64", flags=TENTATIVE)
LINK_LOCAL = address("fe80::1/64", scope=253)


def judge(promise: str, *facts: Link | Address) -> conditions.Verdict:
    links = Links()
    for fact in facts:
        links.update(fact)
    return conditions.judge(links, "ethwe", weave_cidr.parse(promise))


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
        ("net:default", [link(), address("10.32.0.1/12")]),
    ],
)  # fmt: skip
def test_ready(promise: str, facts: list[Link | Address]) -> None:
    assert judge(promise, *facts).state == conditions.READY


@pytest.mark.parametrize(
    ("promise", "facts", "reason"),
    [
        ("10.2.1.5/24", [], "no ethwe (interfaces: none); wanted 10.2.1.5/24"),
        ("", [link(1, "lo"), link(2, "eth0")],
         "no ethwe (interfaces: lo, eth0); wanted any address"),
        ("10.2.1.5/24", [link(3, "ethwe0"), address("10.2.1.5/24")],
         "no ethwe (interfaces: ethwe0); wanted 10.2.1.5/24"),
        ("10.2.1.5/24", [link(), link(4, "eth0"), address("10.2.1.5/24", 4)],
         "ethwe: no 10.2.1.5/24; wanted 10.2.1.5/24; has no address"),
        ("10.2.1.5/24", [link(flags=0, operstate=2), address("10.2.1.5/24")],
         "ethwe: down; wanted 10.2.1.5/24; has 10.2.1.5/24"),
        ("10.2.1.5/24", [link(flags=UP, operstate=3), address("10.2.1.5/24")],
         "ethwe: no carrier; wanted 10.2.1.5/24; has 10.2.1.5/24"),
        ("10.2.1.5/24", [link(operstate=5), address("10.2.1.5/24")],
         "ethwe: dormant; wanted 10.2.1.5/24; has 10.2.1.5/24"),
        ("10.2.1.5/24", [link(operstate=4), address("10.2.1.5/24")],
         "ethwe: testing; wanted 10.2.1.5/24; has 10.2.1.5/24"),
        ("10.2.1.5/24", [link(flags=0)],
         "ethwe: down, no 10.2.1.5/24; wanted 10.2.1.5/24; has no address"),
        ("10.2.1.5/24", [link(), address("10.2.1.5/16")],
         "ethwe: no 10.2.1.5/24; wanted 10.2.1.5/24; has 10.2.1.5/16"),
        ("10.2.1.5/24 10.2.1.6/24", [link(), address("10.2.1.5/24")],
         "ethwe: no 10.2.1.6/24; wanted 10.2.1.5/24, 10.2.1.6/24; has 10.2.1.5/24"),
        ("10.2.1.5/24 10.2.1.6/24", [link()],
         "ethwe: no 10.2.1.5/24, no 10.2.1.6/24; wanted 10.2.1.5/24, 10.2.1.6/24; has no address"),
        ("2001:db8::5/64", [link(), address("2001:db8::5/64", flags=TENTATIVE)],
         "ethwe: 2001:db8::5/64 is still tentative; wanted 2001:db8::5/64; has 2001:db8::5/64"),
        ("net:2001:db8::/64", [link(), address("2001:db8::5/64", flags=FAILED)],
         "ethwe: 2001:db8::5/64 failed DAD; wanted net:2001:db8::/64; has 2001:db8::5/64"),
        ("net:10.2.2.0/24", [link(), address("10.2.3.1/24")],
         "ethwe: no net:10.2.2.0/24; wanted net:10.2.2.0/24; has 10.2.3.1/24"),
        ("net:10.2.2.0/24", [link(), address("2001:db8::5/64")],
         "ethwe: no net:10.2.2.0/24; wanted net:10.2.2.0/24; has 2001:db8::5/64"),
        ("", [link()], "ethwe: no address; wanted any address; has no address"),
        # Every IPv6 interface has one by itself (systemd#40599).
        ("", [link(), LINK_LOCAL], "ethwe: no address; wanted any address; has fe80::1/64"),
        ("", [link(), address("127.0.0.2/8", scope=254)],
         "ethwe: no address; wanted any address; has 127.0.0.2/8"),
        ("", [link(), address("2001:db8::5/64", flags=TENTATIVE)],
         "ethwe: 2001:db8::5/64 is still tentative; wanted any address; has 2001:db8::5/64"),
        ("", [link(), address("2001:db8::5/64", flags=FAILED)],
         "ethwe: 2001:db8::5/64 failed DAD; wanted any address; has 2001:db8::5/64"),
    ],
)  # fmt: skip
def test_waiting_with_its_reason(promise: str, facts: list[Link | Address], reason: str) -> None:
    verdict = judge(promise, *facts)
    assert verdict.reason == reason
    assert verdict.state == conditions.WAITING


@pytest.mark.parametrize("flags", [READY, UP, 0])
def test_a_promised_address_that_another_host_has_is_hopeless(flags: int) -> None:
    verdict = judge(
        "10.2.1.5/24 2001:db8::5/64", link(flags=flags), address("2001:db8::5/64", flags=FAILED)
    )
    assert verdict.state == conditions.HOPELESS
    assert verdict.reason == (
        "ethwe: 2001:db8::5/64 is in use by another host (DAD failed); "
        "wanted 10.2.1.5/24, 2001:db8::5/64; has 2001:db8::5/64"
    )


def test_an_address_that_nobody_promised_may_fail() -> None:
    failed = address("2001:db8::5/64", flags=FAILED)
    verdict = judge("10.2.1.5/24", link(), address("10.2.1.5/24"), failed)
    assert verdict.state == conditions.READY


def test_an_odd_name_does_not_reach_the_terminal_as_it_is() -> None:
    verdict = judge("", link(3, "\x1b[2J"))
    assert verdict.reason == "no ethwe (interfaces: \\x1b[2J); wanted any address"
