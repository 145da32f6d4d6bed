"""The network that the bridge makes: neighbours, the host in it, MTU, routes, a lost bridge."""

from __future__ import annotations

import dataclasses

import pytest

from tests.netns.attach.conftest import SUBNET, Host, addresses, container, names, reaches
from tests.netns.attach.test_bridge import ping
from tests.netns.gate.space import Space
from waitforweave.attach import announce, pair
from waitforweave.attach.backend import AttachError
from waitforweave.attach.choose import make_backend
from waitforweave.attach.links import index_of
from waitforweave.attach.operstate import await_up
from waitforweave.attach.options import Options
from waitforweave.gate.weave_cidr import parse


def expose(host: Host, value: str = "") -> tuple[str, ...]:
    return host.run(lambda: host.backend.expose(parse(value)))


def hide(host: Host, *words: str) -> tuple[str, ...]:
    return host.run(lambda: host.backend.hide(parse(" ".join(words)) if words else ()))


@pytest.fixture
def moved(host, one, two):
    """A function: second addresses of `one`, whom a neighbour knows, move to `two`."""

    def move(neighbour: Space) -> None:
        host.attach(container(neighbour, "c"), "10.9.9.1/24 fd09::1/64")
        host.attach(container(one, "a"), "10.2.1.5/24 10.9.9.9/24 fd09::9/64")
        ping(neighbour, "10.9.9.9")
        ping(neighbour, "fd09::9")
        host.detach(container(one, "a"))
        host.attach(container(two, "b"), "10.2.1.6/24 10.9.9.9/24 fd09::9/64")

    return move


def test_a_second_address_that_moves_is_reached_at_once(moved):
    """weave#441: no neighbour has to find out by itself, in either family."""
    with Space() as neighbour:
        moved(neighbour)
        assert reaches(neighbour, "10.9.9.9")
        assert reaches(neighbour, "fd09::9")


def test_nothing_is_announced_before_the_bridge_passes_it_on(host, one, monkeypatch):
    """The container's end may be up before the bridge's port is: one announcement of ten was lost
    on a busy machine."""
    said: list[tuple[str, int]] = []

    def await_port(index: int) -> None:
        await_up(index)
        said.append(("port", index))

    monkeypatch.setattr(pair, "await_up", await_port)
    monkeypatch.setattr(pair, "announce", lambda index, *_: said.append(("announced", index)))
    host.attach(container(one, "a"), "10.2.1.5/24")
    port = host.run(lambda: index_of(pair.host_end_name("a" * 64)))
    assert said == [("port", port), ("announced", ethwe_index(one))]


def ethwe_index(space: Space) -> int:
    return int(space.ip("-o link show dev ethwe").split(":")[0])


def test_without_an_announcement_it_would_not_be(moved, monkeypatch):
    monkeypatch.setattr(
        announce, "SWITCHES", {4: "net/ipv4/conf/{}/tag", 6: "net/ipv6/conf/{}/mtu"}
    )
    monkeypatch.setattr(announce, "ensure_switch", lambda path, value: True)
    with Space() as neighbour:
        moved(neighbour)
        assert not reaches(neighbour, "10.9.9.9", 1)


def test_a_proc_sys_that_cannot_be_written_is_told(host, one, monkeypatch, caplog):
    monkeypatch.setattr(announce, "ensure_switch", lambda path, value: False)
    host.attach(container(one, "a"), "10.2.1.5/24")
    assert "ethwe: its IPv4 addresses are not announced" in caplog.text


def test_an_exposed_host_and_a_container_reach_each_other(host, one):
    host.attach(container(one, "a"), "10.2.1.5/24 fd00::5/64")
    assert expose(host, "10.2.1.1/24 fd00::1/64") == ("10.2.1.1/24", "fd00::1/64")
    ping(host.space, "10.2.1.5")
    ping(one, "10.2.1.1")
    ping(one, "fd00::1")


def test_expose_without_an_address_takes_the_subnets_next(host, one):
    host.attach(container(one, "a"))
    assert expose(host) == ("10.32.0.2/12",)
    assert expose(host) == ("10.32.0.2/12",)


def test_hide_takes_one_or_all_and_is_idempotent(host):
    expose(host, "10.2.1.1/24 10.3.1.1/24 net:10.4.1.0/24")
    assert hide(host, "10.2.1.1/24") == ("10.2.1.1/24",)
    # By its word as by its address.
    assert hide(host, "10.4.1.1/24") == ("10.4.1.1/24",)
    assert hide(host, "10.2.1.1/24") == ()
    assert "10.3.1.1/24" in host.space.ip("addr show weave")
    assert hide(host) == ("10.3.1.1/24",)
    assert "inet 10" not in host.space.ip("addr show weave")
    assert hide(host) == ()


def test_hide_where_nothing_ever_was_makes_nothing(host):
    assert hide(host) == ()
    assert host.links() == []


def test_the_hosts_address_is_refused_to_containers_and_theirs_to_the_host(host, one):
    expose(host, "10.2.1.1/24")
    with pytest.raises(AttachError, match=r"10\.2\.1\.1/24 already in use by weave:expose$"):
        host.attach(container(one, "a"), "10.2.1.1/24")
    host.attach(container(one, "a"), "10.2.1.5/24")
    with pytest.raises(AttachError, match=r"10\.2\.1\.5/24 already in use by aaaaaaaaaaaa$"):
        expose(host, "10.2.1.9/24 10.2.1.5/24")
    assert hide(host) == ("10.2.1.1/24",)


def test_remove_all_hides(host):
    expose(host, "10.2.1.1/24")
    host.run(host.backend.remove_all)
    assert host.links() == []
    assert not host.state.exists()


def test_a_bridge_that_somebody_removed_comes_back_with_all_that_hung_on_it(host, one, two):
    host.attach(container(one, "a"), "10.2.1.5/24")
    expose(host, "10.2.1.1/24")
    host.space.ip("link del weave")
    host.attach(container(two, "b"), "10.2.1.6/24")
    ping(two, "10.2.1.5")
    ping(two, "10.2.1.1")


def test_the_bridges_own_address_does_not_change_with_its_ports(host, one, two):
    host.run(host.backend.prepare)
    before = bridge_mac(host)
    host.attach(container(one, "a"))
    host.attach(container(two, "b"))
    assert bridge_mac(host) == before


def bridge_mac(host: Host) -> str:
    return host.space.ip("-o link show weave").partition("link/ether ")[2].split()[0]


def with_options(host: Host, mtu: int | None = None, multicast: bool = True) -> Host:
    options = Options(mtu=mtu, multicast_route=multicast)
    backend = make_backend("bridge", subnet=SUBNET, state=host.state, options=options)
    return dataclasses.replace(host, backend=backend)


@pytest.mark.parametrize("mtu", [1280, 1376, 9000, 65535])
def test_the_mtu_is_that_of_bridge_and_both_ends(host, one, mtu):
    host = with_options(host, mtu=mtu)
    host.run(host.backend.prepare)
    host.attach(container(one, "a"), "10.2.1.5/24 fd00::5/64")
    assert f" mtu {mtu} " in one.ip("link show ethwe")
    for name in host.links():
        assert f" mtu {mtu} " in host.space.ip(f"link show {name}")


def test_no_multicast_route_where_none_is_wanted(host, one):
    host = with_options(host, multicast=False)
    host.attach(container(one, "a"), "10.2.1.5/24")
    assert "224.0.0.0/4" not in one.ip("route")
    assert addresses(one) == ["10.2.1.5/24"]
    assert names(one) == ["ethwe"]
