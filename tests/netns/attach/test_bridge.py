"""The backend bridge, on a host that is a network namespace."""

from __future__ import annotations

import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.netns.attach.conftest import SUBNET, Host, addresses, container, names
from tests.netns.gate.space import Space
from waitforweave.attach.backend import AttachError, Container
from waitforweave.attach.choose import make_backend
from waitforweave.attach.pair import host_end_name
from waitforweave.gate.weave_cidr import parse


def ping(space: Space, address: str) -> None:
    subprocess.run(
        space.enter("busybox", "ping", "-c", "1", "-W", "5", address),
        check=True,
        capture_output=True,
    )


def mac(space: Space) -> str:
    return space.ip("-o link show ethwe").partition("link/ether ")[2].split()[0]


def wait_until_it_listens(pid: int) -> None:
    """No event says it: the group mask of the process' netlink socket is looked for."""
    deadline = time.monotonic() + 20
    while True:
        rows = [row.split() for row in Path(f"/proc/{pid}/net/netlink").read_text().splitlines()]
        if any(row[2] == str(pid) and int(row[3], 16) for row in rows[1:]):
            return
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


def test_ethwe_has_what_was_wanted_and_carrier(host, one):
    value = "10.2.1.5/24 fd00::5/64 net:default"
    assert host.attach(container(one, "a"), value) == ("10.2.1.5/24", "fd00::5/64", "10.32.0.1/12")
    assert set(addresses(one)) == {"10.2.1.5/24", "fd00::5/64", "10.32.0.1/12"}
    assert "LOWER_UP" in one.ip("link show ethwe")
    assert "tentative" not in one.ip("-6 addr show dev ethwe scope global")


def test_the_multicast_route_is_added_and_no_default_route(host, one):
    host.attach(container(one, "a"), "10.2.1.5/24")
    assert "224.0.0.0/4 dev ethwe" in one.ip("route")
    assert one.ip("route show default") == ""


def test_carrier_comes_after_everything_else(host, one):
    """What the gate relies on, read from the kernel's own sequence of events."""
    monitor = subprocess.Popen(
        one.enter("ip", "-o", "monitor", "link", "address", "route"),
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_until_it_listens(monitor.pid)
    host.attach(container(one, "a"), "10.2.1.5/24 10.3.1.5/24")
    seen = []
    assert monitor.stdout is not None
    for line in monitor.stdout:
        seen.append(line)
        if "ethwe" in line and "LOWER_UP" in line and "state UP" in line:
            break
    monitor.kill()
    monitor.communicate()
    before = "".join(seen[:-1])
    assert "10.2.1.5/24" in before
    assert "10.3.1.5/24" in before
    assert "224.0.0.0/4" in before
    assert "state UP" not in before


def test_two_containers_reach_each_other(host, one, two):
    host.attach(container(one, "a"), "10.2.1.5/24 fd00::5/64")
    host.attach(container(two, "b"), "10.2.1.6/24 fd00::6/64")
    ping(one, "10.2.1.6")
    ping(two, "10.2.1.5")
    ping(one, "fd00::6")


def test_the_same_again_changes_nothing(host, one):
    first = host.attach(container(one, "a"), "10.2.1.5/24 fd00::5/64")
    before = one.ip("-d addr show ethwe")
    assert host.attach(container(one, "a"), "10.2.1.5/24 fd00::5/64") == first
    assert one.ip("-d addr show ethwe") == before


def test_further_addresses_are_added(host, one):
    host.attach(container(one, "a"), "10.2.1.5/24")
    before = mac(one)
    assert host.attach(container(one, "a"), "10.3.1.5/24") == ("10.3.1.5/24",)
    assert addresses(one) == ["10.2.1.5/24", "10.3.1.5/24"]
    assert mac(one) == before


def test_nothing_wanted_nothing_done(host, one):
    assert host.attach(container(one, "a"), "none") == ()
    assert names(one) == []
    assert host.links() == []


def test_the_next_holder_of_an_address_has_its_mac(host, one, two):
    """weave#441: an old neighbour entry leads to the new holder at once."""
    host.attach(container(one, "a"), "10.2.1.5/24")
    before = mac(one)
    host.detach(container(one, "a"))
    host.attach(container(two, "b"), "10.2.1.5/24")
    assert mac(two) == before


def test_an_address_in_use_is_refused_and_nothing_is_left(host, one, two):
    host.attach(container(one, "a"), "10.2.1.5/24")
    links = host.links()
    with pytest.raises(AttachError, match=r"10\.2\.1\.5/24 already in use by aaaaaaaaaaaa"):
        host.attach(container(two, "b"), "10.2.1.6/24 10.2.1.5/24")
    assert names(two) == []
    assert host.links() == links


def test_the_address_of_a_container_that_is_gone_is_free(host, one, two):
    with Space() as gone:
        host.attach(container(gone, "c"), "10.2.1.5/24")
        gone.ip("link del ethwe")  # What the end of its namespace does, but later.
    assert host.attach(container(one, "a"), "10.2.1.5/24") == ("10.2.1.5/24",)


def test_a_restarted_container_gets_its_address_again(host, one):
    with Space() as first_run:
        given = host.attach(container(first_run, "a"))
        # Its first namespace is still held, so its link is still there.
        assert host.attach(container(one, "a")) == given
        assert names(first_run) == []
    assert addresses(one) == list(given)


def test_a_foreign_ethwe_is_left_alone(host, one):
    one.ip("link add ethwe type bridge")
    with pytest.raises(AttachError, match="ethwe is in the container already that is not ours"):
        host.attach(container(one, "a"), "10.2.1.5/24")
    assert names(one) == ["ethwe"]
    assert host.links() == ["weave"]


def test_a_foreign_bridge_keeps_the_address_that_was_ours_on_our_own(host):
    """Weave Net was installed since, say, and the machine booted."""
    host.run(lambda: host.backend.expose(parse("10.2.1.1/24")))
    for words in ("del weave", "add weave type bridge"):
        host.space.ip(f"link {words}")
    host.space.ip("addr add 10.2.1.1/24 dev weave")
    assert host.run(host.backend.hide) == ("10.2.1.1/24",)
    assert "10.2.1.1/24" in host.space.ip("addr show dev weave")


def test_a_foreign_bridge_is_left_alone(host, one):
    host.space.ip("link add weave type bridge")
    with pytest.raises(AttachError, match="an interface weave is there that is not ours"):
        host.attach(container(one, "a"))
    host.run(host.backend.remove_all)
    assert host.links() == ["weave"]
    assert names(one) == []


def test_a_bridge_that_somebody_removed_is_made_again(host, one):
    host.run(host.backend.prepare)
    host.space.ip("link del weave")
    host.attach(container(one, "a"))
    assert "LOWER_UP" in one.ip("link show ethwe")


def test_the_hosts_own_namespace_is_refused_in_weaves_words(host):
    with pytest.raises(AttachError) as refused:
        host.attach(Container("a" * 64, host.space.pid), "10.2.1.5/24")
    assert str(refused.value) == (
        "Container is running in the host network namespace, and therefore cannot be connected "
        "to weave"
    )
    assert host.links() == []


def test_a_process_that_ended_is_told(host):
    ended = subprocess.Popen(["true"])
    ended.wait()
    with pytest.raises(AttachError, match=r"^container aaaaaaaaaaaa not running$"):
        host.attach(Container("a" * 64, ended.pid))


def test_detach_takes_all_away_and_is_idempotent(host, one):
    host.attach(container(one, "a"), "10.2.1.5/24 fd00::5/64")
    assert set(host.detach(container(one, "a"))) == {"10.2.1.5/24", "fd00::5/64"}
    assert names(one) == []
    assert host.links() == ["weave"]
    assert host.detach(container(one, "a")) == ()


def test_remove_all_takes_what_is_ours_and_nothing_else(host, one, two):
    host.space.ip("link add other type bridge", "link add v1 type veth peer name v2")
    host.attach(container(one, "a"))
    host.attach(container(two, "b"))
    # Somebody's own port of our bridge.
    host.space.ip("link set v1 master weave")
    host.run(host.backend.remove_all)
    assert host.links() == ["other", "v1", "v2"]
    assert names(one) == names(two) == []
    assert not host.state.exists()
    host.run(host.backend.remove_all)


def test_ipv6_is_switched_on_where_docker_switched_it_off(host, one):
    subprocess.run(one.enter("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"), check=True)
    host.attach(container(one, "a"), "fd00::5/64")
    assert addresses(one) == ["fd00::5/64"]


def test_many_at_once_all_get_their_own(host):
    spaces = [Space() for _ in range(12)]
    for space in spaces:
        space.__enter__()
    try:
        targets = [Container(f"{n:064x}", space.pid) for n, space in enumerate(spaces)]
        # Each twice: its start hook and the watcher of events, say.
        with ThreadPoolExecutor(24) as pool:
            given = list(pool.map(host.attach, targets + targets))
        assert given[:12] == given[12:]
        assert len(set(given)) == 12
        assert [tuple(addresses(space)) for space in spaces] == given[:12]
        assert set(host.links()) == {"weave", *(host_end_name(each.id) for each in targets)}
    finally:
        for space in spaces:
            space.__exit__()


def test_first_attaches_of_two_processes_meet_on_one_bridge(host, one, two):
    """Each has a backend of its own, and no bridge is there."""
    other = Host(host.space, host.state, make_backend("bridge", subnet=SUBNET, state=host.state))
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(host.attach, container(one, "a"), "10.2.1.5/24"),
            pool.submit(other.attach, container(two, "b"), "10.2.1.6/24"),
        ]
        for job in jobs:
            job.result()
    ping(one, "10.2.1.6")
    assert len(host.links()) == 3
