"""The rule in filter/FORWARD, as iptables itself shows it. nf_tables, in a namespace of its own."""

from __future__ import annotations

import subprocess

import pytest

from tests.netns.attach.conftest import container
from waitforweave.attach import firewall
from waitforweave.attach.ruleset import generation

RULE = "-A FORWARD -i weave -o weave -j ACCEPT"


def iptables(host, *words: str, program: str = "iptables") -> list[str]:
    command = host.space.enter(program, *words)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def open_forwarding(host) -> None:
    host.run(lambda: firewall.open_forwarding("weave"))


def close_forwarding(host) -> None:
    host.run(lambda: firewall.close_forwarding("weave"))


@pytest.fixture
def docker_like(host):
    """What dockerd makes of FORWARD, in short."""
    for program in ("iptables", "ip6tables"):
        iptables(host, "-P", "FORWARD", "DROP", program=program)
        iptables(host, "-A", "FORWARD", "-i", "docker0", "-j", "ACCEPT", program=program)
    return host


@pytest.mark.parametrize("program", ["iptables", "ip6tables"])
def test_the_rule_stands_first_and_once(docker_like, program):
    open_forwarding(docker_like)
    open_forwarding(docker_like)
    shown = iptables(docker_like, "-S", "FORWARD", program=program)
    assert shown == ["-P FORWARD DROP", RULE, "-A FORWARD -i docker0 -j ACCEPT"]


@pytest.mark.parametrize("program", ["iptables", "ip6tables"])
def test_the_rule_goes_again_and_nothing_else_does(docker_like, program):
    before = iptables(docker_like, "-S", program=program)
    open_forwarding(docker_like)
    close_forwarding(docker_like)
    close_forwarding(docker_like)
    assert iptables(docker_like, "-S", program=program) == before


def test_iptables_takes_it_for_its_own(docker_like):
    open_forwarding(docker_like)
    iptables(docker_like, "-C", *RULE.split()[1:])
    iptables(docker_like, "-D", *RULE.split()[1:])
    assert RULE not in iptables(docker_like, "-S", "FORWARD")


def test_the_same_rule_by_a_persons_hand_is_not_doubled(docker_like):
    iptables(docker_like, "-A", *RULE.split()[1:])
    open_forwarding(docker_like)
    assert iptables(docker_like, "-S", "FORWARD").count(RULE) == 1


def test_the_kernel_counts_each_change_and_nothing_else(docker_like):
    before = docker_like.run(generation)
    assert before is not None
    iptables(docker_like, "-S")
    assert docker_like.run(generation) == before
    iptables(docker_like, "-A", "FORWARD", "-j", "ACCEPT")
    assert docker_like.run(generation) != before


@pytest.fixture
def opened(docker_like, monkeypatch):
    """Opens what it is told, and gives how often it has looked at the rules so far."""
    looks: list[object] = []
    real = firewall.open_forwarding

    def noting(*words):
        looks.append(words)
        real(*words)

    monkeypatch.setattr(firewall, "open_forwarding", noting)
    one = firewall.Opened("weave")

    def ensure(*families) -> int:
        docker_like.run(lambda: one.ensure(frozenset(families)))
        return len(looks)

    return ensure


def test_what_is_open_is_looked_at_again_only_after_a_change(docker_like, opened):
    v4, v6 = firewall.FAMILIES
    opened(v4)
    # Our own rule was a change, too.
    looks = opened(v4)
    assert opened(v4) == looks
    assert opened(v4, v6) == looks + 1
    iptables(docker_like, "-F", "FORWARD")
    opened(v4)
    assert iptables(docker_like, "-S", "FORWARD") == ["-P FORWARD DROP", RULE]
    assert iptables(docker_like, "-S", "FORWARD", program="ip6tables")[1] == RULE


def test_a_family_is_opened_again_where_another_ones_rules_changed(docker_like, opened):
    v4, v6 = firewall.FAMILIES
    opened(v4, v6)
    opened(v4, v6)
    iptables(docker_like, "-F", "FORWARD", program="ip6tables")
    opened(v4)
    opened(v6)
    assert iptables(docker_like, "-S", "FORWARD", program="ip6tables")[1] == RULE


def test_a_kernel_that_does_not_count_is_looked_at_each_time(opened, monkeypatch):
    monkeypatch.setattr(firewall, "generation", lambda: None)
    looks = opened(*firewall.FAMILIES)
    assert opened(*firewall.FAMILIES) == looks + 1


@pytest.mark.parametrize(
    "theirs",
    [
        "-i weave -o weave -j DROP",
        "-i weave -o weave -j RETURN",
        "-i weave -o weave",
        "-i weave -o weave -j LOG",
        "! -i weave -o weave -j ACCEPT",
        "-i weave ! -o weave -j ACCEPT",
        "-i weave+ -o weave -j ACCEPT",
        "-i weave -o weave -p tcp -j ACCEPT",
        "-s 10.2.1.0/24 -i weave -o weave -j ACCEPT",
        "-i weave -o weave -m comment --comment theirs -j ACCEPT",
        "-i weave -j ACCEPT",
        "-i docker0 -o weave -j ACCEPT",
    ],
)
def test_a_rule_that_says_something_else_is_a_persons_own(docker_like, theirs):
    iptables(docker_like, "-A", "FORWARD", *theirs.split())
    before = iptables(docker_like, "-S", "FORWARD")
    open_forwarding(docker_like)
    assert iptables(docker_like, "-S", "FORWARD")[1] == RULE
    close_forwarding(docker_like)
    assert iptables(docker_like, "-S", "FORWARD") == before


def test_no_chain_no_rule(host):
    open_forwarding(host)
    close_forwarding(host)
    iptables(host, "-t", "nat", "-N", "FORWARD")
    open_forwarding(host)
    assert iptables(host, "-t", "nat", "-S", "FORWARD") == ["-N FORWARD"]


def test_the_first_attach_opens_and_remove_all_closes(docker_like, one):
    before = iptables(docker_like, "-S", "FORWARD")
    docker_like.attach(container(one, "a"))
    assert iptables(docker_like, "-S", "FORWARD")[1] == RULE
    docker_like.run(docker_like.backend.remove_all)
    assert iptables(docker_like, "-S", "FORWARD") == before


def test_prepare_brings_back_a_rule_that_was_flushed(docker_like):
    docker_like.run(docker_like.backend.prepare)
    iptables(docker_like, "-F", "FORWARD")
    docker_like.run(docker_like.backend.prepare)
    assert iptables(docker_like, "-S", "FORWARD") == ["-P FORWARD DROP", RULE]


@pytest.mark.parametrize(
    ("program", "value"), [("iptables", "10.2.1.5/24"), ("ip6tables", "fd00::5/64")]
)
def test_so_does_the_next_attach(docker_like, one, program, value):
    """A firewall's reload tells nobody."""
    docker_like.run(docker_like.backend.prepare)
    iptables(docker_like, "-F", "FORWARD", program=program)
    docker_like.attach(container(one, "a"), value)
    shown = iptables(docker_like, "-S", "FORWARD", program=program)
    assert shown == ["-P FORWARD DROP", RULE]


def test_rules_of_other_chains_are_not_read(docker_like, monkeypatch):
    """kube-proxy has thousands of them."""
    iptables(docker_like, "-t", "nat", "-A", "POSTROUTING", "-s", "10.2.1.0/24")
    iptables(docker_like, "-A", "INPUT", "-s", "10.2.1.0/24")
    read = []
    monkeypatch.setattr(firewall, "is_ours", lambda rule, bridge: read.append(rule))
    open_forwarding(docker_like)
    assert {rule.get_attr("NFTA_RULE_CHAIN") for rule in read} == {"FORWARD"}


LEGACY = ("iptables-legacy", "ip6tables-legacy")


@pytest.fixture
def legacy_like(host):
    """A host whose firewall is of the older kind."""
    for program in LEGACY:
        iptables(host, "-P", "FORWARD", "DROP", program=program)
    return host


def test_legacy_tables_get_the_rule_and_lose_it(legacy_like):
    backend = legacy_like.backend
    for program in LEGACY:
        assert iptables(legacy_like, "-S", "FORWARD", program=program) == ["-P FORWARD DROP"]
    for _ in range(2):
        legacy_like.run(backend.prepare)
    for program in LEGACY:
        shown = iptables(legacy_like, "-S", "FORWARD", program=program)
        assert shown == ["-P FORWARD DROP", RULE]
    legacy_like.run(backend.remove_all)
    for program in LEGACY:
        assert iptables(legacy_like, "-S", "FORWARD", program=program) == ["-P FORWARD DROP"]


def test_legacy_tables_that_nobody_uses_stay_unused(host):
    host.run(host.backend.prepare)
    names = host.space.enter("cat", "/proc/net/ip_tables_names")
    assert subprocess.run(names, check=False, capture_output=True).stdout == b""


def test_without_the_command_a_line_says_what_to_type(legacy_like, monkeypatch, caplog):
    monkeypatch.setattr("waitforweave.attach.legacy.shutil.which", lambda name: None)
    legacy_like.run(legacy_like.backend.prepare)
    for program in LEGACY:
        assert f"{program} -I FORWARD -i weave -o weave -j ACCEPT" in caplog.text
    legacy_like.run(legacy_like.backend.remove_all)
