"""What the backend bridge remembers: who has something of it, over restart, reboot and loss."""

from __future__ import annotations

import subprocess

import pytest

from tests.netns.attach.conftest import SUBNET, Host, addresses, container, names
from tests.netns.gate.space import Space
from waitforweave.attach.backend import AttachError
from waitforweave.attach.choose import make_backend
from waitforweave.attach.pair import host_end_name
from waitforweave.gate.weave_cidr import parse

A, B = "a" * 64, "b" * 64


def again(host: Host, space: Space | None = None) -> Host:
    """The same state in another process, or after a reboot, when nothing else is left."""
    backend = make_backend("bridge", subnet=SUBNET, state=host.state)
    return Host(space or host.space, host.state, backend)


def test_list_names_who_has_something(host, one, two):
    assert host.run(host.backend.list) == {}
    assert not host.state.exists()
    host.attach(container(one, "a"), "10.2.1.5/24 fd00::5/64")
    host.attach(container(two, "b"))
    listed = {A: ("10.2.1.5/24", "fd00::5/64"), B: ("10.32.0.1/12",)}
    assert host.run(host.backend.list) == listed
    assert host.run(again(host).backend.list) == listed
    host.detach(container(one, "a"))
    assert list(host.run(host.backend.list)) == [B]


def test_list_does_not_count_the_host(host):
    host.run(lambda: host.backend.expose(parse("10.2.1.1/24")))
    assert host.run(host.backend.list) == {}


def test_a_link_that_is_in_its_books_no_more_is_listed_and_detached(host, one):
    host.attach(container(one, "a"), "10.2.1.5/24")
    host.backend.ipam.release(A)
    later = again(host)
    assert later.run(later.backend.list) == {A: ()}
    assert later.detach(container(one, "a")) == ()
    assert later.run(later.backend.list) == {}
    assert names(one) == []


def lose_books(host: Host) -> Host:
    (host.state / "ipam.db").unlink()
    return again(host)


def test_the_link_of_lost_books_is_its_containers_next_attachs(host, one):
    host.attach(container(one, "a"), "10.2.1.5/24")
    later = lose_books(host)
    assert later.run(later.backend.list) == {}
    assert later.attach(container(one, "a"), "10.2.1.5/24") == ("10.2.1.5/24",)
    later.backend.ipam.release(A)  # type: ignore[attr-defined]
    assert later.run(later.backend.list) == {A: ()}


def test_what_lost_books_left_does_not_stay_for_ever(host, one):
    """The link goes with its container, or by hand; the bridge then with the next who removes."""
    with Space() as gone:
        host.attach(container(gone, "b"), "10.2.1.6/24")
        host.attach(container(one, "a"), "10.2.1.5/24")
        later = lose_books(host)
        later.run(later.backend.remove_all)
        assert len(host.links()) == 3
        gone.ip("link del ethwe")  # As the end of its namespace does, but later.
    assert later.detach(container(one, "a")) == ()
    later.run(later.backend.remove_all)
    assert host.links() == []


def test_links_of_an_older_version_are_those_that_are_in_the_books(host, one, two):
    """It did not say in the mark whose they are."""
    host.attach(container(one, "a"), "10.2.1.5/24")
    host.attach(container(two, "b"), "10.2.1.6/24")
    for owner in (A, B):
        alias = ("alias", f"weavewait {owner}")
        subprocess.run(
            host.space.enter("ip", "link", "set", host_end_name(owner), *alias), check=True
        )
    host.backend.ipam.release(B)
    later = again(host)
    assert later.run(later.backend.list) == {A: ("10.2.1.5/24",)}
    later.run(later.backend.remove_all)
    assert host.links() == sorted(["weave", host_end_name(B)])


def test_books_without_a_link_are_listed_and_given_back(host):
    with Space() as gone:
        host.attach(container(gone, "a"), "10.2.1.5/24")
        gone.ip("link del ethwe")
    assert host.run(host.backend.list) == {A: ("10.2.1.5/24",)}
    assert host.detach(container(host.space, "a")) == ("10.2.1.5/24",)
    assert host.run(host.backend.list) == {}


def test_a_pair_that_was_never_marked_goes_with_all(host, one):
    """kill -9 between two steps of an attach."""
    host.attach(container(one, "a"), "10.2.1.5/24")
    host.space.ip(f"link set {host_end_name(A)} alias other")
    host.run(host.backend.remove_all)
    assert names(one) == []
    assert host.links() == []


def test_who_lost_an_address_before_it_was_linked_gets_another(host, one, two, monkeypatch):
    """Two at once in a full subnet: neither counts as alive yet when the other one asks."""
    subnet, claim = "net:10.2.1.0/30", host.backend.ipam.claim
    for letter in "cd":
        with Space() as gone:
            host.attach(container(gone, letter), subnet)
            gone.ip("link del ethwe")

    def be_slow_once(*asked: object) -> object:
        monkeypatch.setattr(host.backend.ipam, "claim", claim)
        claims = claim(*asked)
        host.attach(container(two, "b"), "10.2.1.1/30")
        return claims

    monkeypatch.setattr(host.backend.ipam, "claim", be_slow_once)
    assert host.attach(container(one, "a"), subnet) == ("10.2.1.2/30",)
    assert (addresses(one), addresses(two)) == (["10.2.1.2/30"], ["10.2.1.1/30"])


def test_after_a_reboot_all_have_their_addresses_again(host, one, two):
    given = host.attach(container(one, "a")), host.attach(container(two, "b"), "net:10.2.2.0/24")
    exposed = host.run(lambda: host.backend.expose(parse("10.2.1.1/24")))
    with Space() as machine, Space() as first, Space() as second:
        later = again(host, machine)
        later.run(later.backend.prepare)
        assert "10.2.1.1/24" in machine.ip("addr show dev weave")
        # In another order than the first time.
        assert later.attach(container(second, "b"), "net:10.2.2.0/24") == given[1]
        assert later.attach(container(first, "a")) == given[0]
        assert later.run(later.backend.hide) == exposed


def test_check_says_what_is_missing(host, one):
    value = "10.2.1.5/24 net:default"

    def check() -> None:
        host.run(lambda: host.backend.check(container(one, "a"), parse(value)))

    with pytest.raises(AttachError, match=r"^ethwe is not there$"):
        check()
    host.attach(container(one, "a"), value)
    check()
    host.space.ip(f"link set {host_end_name(A)} nomaster")
    with pytest.raises(AttachError, match=r"^ethwe is not connected to the bridge weave$"):
        check()
    one.ip("addr del 10.2.1.5/24 dev ethwe")
    with pytest.raises(AttachError, match=r"lacks 10\.2\.1\.5/24; it has 10\.32\.0\.1/12"):
        check()
    one.ip("link set ethwe down")
    with pytest.raises(AttachError, match=r"^ethwe is not up$"):
        check()
    host.attach(container(one, "a"), value)
    check()
    assert set(addresses(one)) == {"10.2.1.5/24", "10.32.0.1/12"}
