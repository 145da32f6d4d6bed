"""Other people's nftables chains that drop what the bridge forwards: seen, told, and what is told
helps."""

from __future__ import annotations

import errno
import shlex
import subprocess

import pytest
from pyroute2.netlink.exceptions import NetlinkError

from tests.netns.attach.conftest import Host, container, reaches
from waitforweave.attach import droppers as module
from waitforweave.attach.droppers import cure, droppers
from waitforweave.gate.weave_cidr import parse

DEBIANS = """
table inet filter {
    chain input { type filter hook input priority 0; policy drop; }
    chain forward { type filter hook forward priority 0; policy drop; }
}
"""
# In short; it ends in a reject, and its policy is to accept.
FIREWALLD = """
table inet firewalld {
    chain filter_FORWARD {
        type filter hook forward priority 10; policy accept;
        ct state established,related accept
        jump filter_FORWARD_POLICIES
        reject with icmpx admin-prohibited
    }
    chain filter_FORWARD_POLICIES { }
}
"""


def nft(host: Host, text: str) -> None:
    subprocess.run(host.space.enter("nft", "-f", "-"), input=text.encode(), check=True)


def found(host: Host) -> list[tuple[str, str, str]]:
    return host.run(lambda: droppers("weave"))


@pytest.fixture
def pair(host, one, two):
    """Two containers of that host; the bridge shows their traffic to the tables of IP."""
    host.attach(container(one, "a"), "10.2.1.5/24")
    host.attach(container(two, "b"), "10.2.1.6/24")
    assert reaches(one, "10.2.1.6")
    return one


@pytest.mark.parametrize(
    ("rules", "chain"),
    [
        (DEBIANS, ("inet", "filter", "forward")),
        (DEBIANS.replace("inet", "ip"), ("ip", "filter", "forward")),
        (DEBIANS.replace("inet", "bridge"), ("bridge", "filter", "forward")),
        (DEBIANS.replace("priority 0", "priority 300"), ("inet", "filter", "forward")),
    ],
    ids=["inet", "ip", "bridge", "late"],
)
def test_a_chain_that_drops_is_named_and_what_is_told_helps(host, pair, rules, chain):
    nft(host, rules)
    assert not reaches(pair, "10.2.1.6", seconds=1)
    assert found(host) == [chain]
    said = cure("weave", *chain)
    subprocess.run(host.space.enter(*shlex.split(said)), check=True)
    assert reaches(pair, "10.2.1.6")
    assert found(host) == []


def test_firewalld_is_known_by_its_last_rule(host, pair):
    nft(host, FIREWALLD)
    assert not reaches(pair, "10.2.1.6", seconds=1)
    assert found(host) == [("inet", "firewalld", "filter_FORWARD")]
    assert cure("weave", *found(host)[0]).startswith("firewall-cmd --permanent --zone=trusted ")


@pytest.mark.parametrize(
    "rules",
    [
        "",
        DEBIANS.replace("drop", "accept"),
        DEBIANS.replace("hook forward", "hook output"),
        FIREWALLD.replace("reject with", "ip saddr 10.9.9.9 reject with"),
        FIREWALLD.replace("jump", "counter log jump").replace(
            "reject with icmpx admin-prohib", "#"
        ),
    ],
)
def test_what_drops_nothing_of_ours_is_not_named(host, pair, rules):
    nft(host, rules)
    assert reaches(pair, "10.2.1.6")
    assert found(host) == []


def test_our_own_rule_in_the_engines_chain_is_enough(host, pair):
    subprocess.run(host.space.enter("iptables", "-P", "FORWARD", "DROP"), check=True)
    assert found(host) == [("ip", "filter", "FORWARD")]
    host.run(host.backend.prepare)
    assert found(host) == []
    assert reaches(pair, "10.2.1.6")


def test_chains_that_bridges_do_not_show_their_traffic_to_are_not_named(host, pair, monkeypatch):
    nft(host, DEBIANS)
    monkeypatch.setattr(module, "read_switch", lambda path: "0")
    assert found(host) == []


def test_what_cannot_be_read_hinders_nothing(host, monkeypatch, caplog):
    def unreadable(nft, number):
        raise NetlinkError(errno.ENOENT)

    monkeypatch.setattr(module, "chains", unreadable)
    host.run(host.backend.prepare)
    assert "the other chains of nftables cannot be read: No such file or directory" in caplog.text


def test_it_is_told_when_a_server_starts_or_a_person_attaches(host, caplog):
    nft(host, DEBIANS)
    host.run(host.backend.prepare)
    assert (
        "the nftables chain inet filter forward drops what is forwarded; if containers do not "
        "reach each other, type: nft insert rule inet filter forward iifname weave oifname "
        "weave accept" in caplog.text
    )


# As firewalld 1.3 writes it: IPv6_rpfilter.
WAY_BACK = """
table inet firewalld {
    chain filter_PREROUTING {
        type filter hook prerouting priority 10; policy accept;
        icmpv6 type { nd-router-advert, nd-neighbor-solicit } accept
        meta nfproto ipv6 fib saddr . mark . iif oif missing drop
    }
}
"""


def test_one_that_wants_a_way_back_is_named_and_what_is_told_helps(host, one, two, caplog):
    host.attach(container(one, "a"), "fd00::5/64")
    host.attach(container(two, "b"), "fd00::6/64")
    nft(host, WAY_BACK)
    assert not reaches(one, "fd00::6", seconds=1)
    host.run(host.backend.prepare)
    assert (
        "the nftables chain inet firewalld filter_PREROUTING drops what the host has no way back "
        "for; if containers do not reach each other, by IPv6 say, give the host an address of "
        "theirs: weavewait expose" in caplog.text
    )
    host.run(lambda: host.backend.expose(parse("net:fd00::/64")))
    assert reaches(one, "fd00::6")


@pytest.mark.parametrize(
    "rules",
    [
        WAY_BACK.replace("missing drop", "missing counter"),
        WAY_BACK.replace("hook prerouting", "hook input"),
        WAY_BACK.replace("fib saddr . mark . iif oif missing", "ip6 daddr fd09::"),
    ],
)
def test_one_that_wants_none_is_not_named(host, pair, rules, caplog):
    nft(host, rules)
    host.run(host.backend.prepare)
    assert "way back" not in caplog.text
