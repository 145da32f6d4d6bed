"""`weavewait attach` and `detach` against a real engine, whose FORWARD policy is DROP."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docker.attach.conftest import Machine
from tests.support.docker_cli import Result

RULE = "-A FORWARD -i weave -o weave -j ACCEPT"


def test_two_containers_reach_each_other_though_the_engine_drops(machine):
    assert "-P FORWARD DROP" in machine.run("iptables", "-S", "FORWARD").out
    one, two = machine.start(), machine.start()
    assert machine.attach("10.2.1.5/24", one) == "10.2.1.5"
    assert machine.attach("10.2.1.6/24", two) == "10.2.1.6"
    assert machine.inside(one, "ping", "-c", "1", "-W", "5", "10.2.1.6").code == 0
    assert machine.inside(two, "ping", "-c", "1", "-W", "5", "10.2.1.5").code == 0
    # And only by the rule that iptables shows.
    assert RULE in machine.run("iptables", "-S", "FORWARD").out
    sysctl = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
    if machine.run("cat", str(sysctl)).out.strip() == "1":
        machine.run("iptables", "-D", *RULE.split()[1:])
        assert machine.inside(one, "ping", "-c", "1", "-W", "1", "10.2.1.6").code != 0


def test_no_address_named_takes_the_subnets_next(machine):
    one, two = machine.start(), machine.start()
    assert machine.attach(one) == "10.32.0.1"
    assert machine.attach("--subnet=10.64.0.0/16", two) == "10.64.0.1"
    assert machine.attach(one) == "10.32.0.1"


def test_several_addresses_of_both_families(machine):
    # This engine switches IPv6 off in its containers.
    one, two = machine.start(), machine.start()
    assert machine.attach("10.2.1.5/24", "fd00::5/64", one) == "10.2.1.5 fd00::5"
    assert machine.attach("10.2.1.6/24", "fd00::6/64", two) == "10.2.1.6 fd00::6"
    assert machine.inside(one, "ping", "-c", "1", "-W", "5", "fd00::6").code == 0


def test_the_default_route_is_left_alone(machine):
    one = machine.start()
    before = defaults(machine, one)
    machine.attach("10.2.1.5/24", one)
    assert defaults(machine, one) == before != []


def defaults(machine: Machine, container: str) -> list[str]:
    lines = machine.inside(container, "ip", "route").out.splitlines()
    return [line for line in lines if line.startswith("default")]


def test_a_container_without_network(machine):
    one = machine.start("--net=none")
    machine.attach("10.2.1.5/24", one)
    assert "10.2.1.5/24" in machine.inside(one, "ip", "addr", "show", "ethwe").out


def test_a_paused_container(machine):
    one = machine.start()
    machine.engine.docker("pause", one)
    try:
        machine.attach("10.2.1.5/24", one)
    finally:
        machine.engine.docker("unpause", one)
    assert "10.2.1.5/24" in machine.inside(one, "ip", "addr", "show", "ethwe").out


def test_a_container_by_its_name_and_after_a_restart(machine):
    machine.start("--name=wfw-named", "--stop-signal=KILL")
    assert machine.attach("wfw-named") == "10.32.0.1"
    machine.engine.docker("restart", "wfw-named")
    assert machine.attach("wfw-named") == "10.32.0.1"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no-such"], "unable to inspect container no-such: No such container: no-such"),
        (["10.2.1.5/24", "no/such"], "unable to inspect container no/such: "),
    ],
)
def test_a_container_that_is_not_there(machine, words, said):
    result = machine.weavewait("attach", *words)
    assert result.code == 1
    assert result.err.startswith(f"weavewait attach: {said}")
    assert result.err.count("\n") == 1


def test_a_container_that_does_not_run(machine):
    one = machine.start()
    machine.engine.docker("kill", one)
    result = machine.weavewait("attach", "10.2.1.5/24", one)
    assert (result.code, result.err) == (
        1,
        f"weavewait attach: container {one[:12]} not running\n",
    )


def test_the_hosts_network_is_refused(machine):
    one = machine.start("--net=host")
    result = machine.weavewait("attach", "10.2.1.5/24", one)
    assert result.code == 1
    assert result.err == (
        "weavewait attach: Container is running in the host network namespace, and therefore "
        "cannot be connected to weave\n"
    )
    assert machine.run("ip", "link", "show", "ethwe").code != 0


def test_an_address_in_use_is_refused_with_its_holders_name(machine):
    one, two = machine.start("--name=wfw-first"), machine.start()
    machine.attach("10.2.1.5/24", one)
    result = machine.weavewait("attach", "10.2.1.5/24", two)
    assert result.code == 1
    assert result.err == (
        "weavewait attach: Unable to claim: address 10.2.1.5/24 already in use by wfw-first "
        f"({one[:12]})\n"
    )
    assert machine.inside(two, "ip", "link", "show", "ethwe").code != 0


def test_an_engine_that_does_not_answer_is_named(machine):
    result = machine.weavewait("attach", "10.2.1.5/24", "x", engine="unix:///nowhere.sock")
    assert result.code == 1
    assert "no answer from the engine at unix:///nowhere.sock" in result.err
    assert result.err.count("\n") == 1


def test_detach_prints_the_addresses_and_is_idempotent(machine):
    one = machine.start()
    machine.attach("10.2.1.5/24", one)
    assert machine.weavewait("detach", one) == Result(0, "10.2.1.5\n", "")
    assert machine.inside(one, "ip", "link", "show", "ethwe").code != 0
    assert machine.weavewait("detach", one) == Result(0, "", "")


def test_detach_all_leaves_nothing_and_asks_no_engine(machine):
    rules = machine.run("iptables", "-S").out, machine.run("ip6tables", "-S").out
    links = link_names(machine)
    one = machine.start("--net=none")
    machine.attach("10.2.1.5/24", "fd00::5/64", one)
    done = machine.weavewait("detach", "--all", engine="unix:///nowhere.sock")
    assert done == Result(0, "", "")
    assert (machine.run("iptables", "-S").out, machine.run("ip6tables", "-S").out) == rules
    assert link_names(machine) == links
    assert machine.inside(one, "ip", "link", "show", "ethwe").code != 0
    assert not machine.state.exists()
    assert machine.weavewait("detach", "--all").code == 0


def link_names(machine: Machine) -> list[str]:
    return [line.split()[0] for line in machine.run("ip", "-br", "link").out.splitlines()]
