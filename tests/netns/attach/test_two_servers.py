"""Two hook servers with books of their own on one host: neither touches what is the other's, and
no address is given twice."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.netns.attach.conftest import SUBNET, Host, addresses, container, names, reaches
from tests.netns.gate.space import Space
from waitforweave.attach import altname, bridge, firewall
from waitforweave.attach import names as addresses_names
from waitforweave.attach.backend import AttachError, Container
from waitforweave.attach.choose import make_backend
from waitforweave.attach.lock import bridge_used
from waitforweave.attach.pair import host_end_name
from waitforweave.gate.weave_cidr import parse

A, B = "a" * 64, "b" * 64
SMALL = "net:10.2.1.0/29"
PATIENCE_SECONDS = 20.0


@pytest.fixture
def other(host: Host, tmp_path: Path) -> Host:
    """The second one, with the same options."""
    state = tmp_path / "other"
    return Host(host.space, state, make_backend("bridge", subnet=SUBNET, state=state))


@pytest.fixture
def chain(host: Host) -> Callable[[], bool]:
    """Docker's chain is there; whether our rule is in it."""

    def make() -> None:
        with firewall.nftables(socket.AF_INET) as nft:
            nft.table("add", name="filter")
            nft.chain(
                "add", table="filter", name="FORWARD", hook="forward", type="filter", policy=0
            )

    def has_rule() -> bool:
        with firewall.nftables(socket.AF_INET) as nft:
            return bool(firewall.handles(nft, "weave"))

    host.run(make)
    return lambda: host.run(has_rule)


def expose(host: Host, value: str) -> tuple[str, ...]:
    return host.run(lambda: host.backend.expose(parse(value)))


def prepare(*hosts: Host) -> None:
    for each in hosts:
        each.run(each.backend.prepare)


def listed(host: Host) -> dict[str, tuple[str, ...]]:
    return dict(host.run(host.backend.list))


@pytest.fixture
def many() -> Iterator[list[Space]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Space()) for _ in range(12)]


def test_containers_of_both_reach_each_other(host, other, one, two):
    prepare(host, other)
    first, second = host.attach(container(one, "a")), other.attach(container(two, "b"))
    assert first != second
    assert reaches(one, second[0].split("/")[0])
    assert reaches(two, first[0].split("/")[0])


def test_each_lists_its_own(host, other, one, two):
    host.attach(container(one, "a"), "10.2.1.5/24")
    other.attach(container(two, "b"), "10.2.1.6/24")
    assert listed(host) == {A: ("10.2.1.5/24",)}
    assert listed(other) == {B: ("10.2.1.6/24",)}
    assert f"{host_end_name(A)}@" in host.space.ip("link show weave-0a020105")


def test_what_the_other_gave_is_refused_with_the_holders_name(host, other, one, two):
    host.attach(container(one, "a"), "10.2.1.5/24 fd00::5/64")
    links = host.links()
    for taken in ("10.2.1.5/24", "fd00::5/64"):
        with pytest.raises(AttachError) as refused:
            other.attach(container(two, "b"), f"10.2.1.6/24 {taken}")
        assert str(refused.value) == (
            f"Unable to claim: address {taken} already in use by aaaaaaaaaaaa"
        )
        assert (host.links(), names(two), listed(other)) == (links, [], {})


def test_what_it_gave_is_passed_over(host, other, one, two):
    host.attach(container(one, "a"), "10.2.1.1/29 10.2.1.2/29 10.2.1.4/29 10.2.1.5/29 10.2.1.6/29")
    assert other.attach(container(two, "b"), SMALL) == ("10.2.1.3/29",)
    with Space() as third, pytest.raises(AttachError, match="no address is free"):
        other.attach(container(third, "c"), SMALL)


def test_in_a_full_subnet_those_of_the_dead_are_given_but_what_the_other_uses(
    host, other, one, two
):
    with Space() as gone:
        for number in range(1, 7):
            other.attach(container(gone, str(number)), SMALL)
            gone.ip("link del ethwe")
    host.attach(container(one, "a"), "10.2.1.1/29 10.2.1.3/29")
    value = " ".join([SMALL, "10.2.1.2/29"])
    assert other.attach(container(two, "b"), value) == ("10.2.1.4/29", "10.2.1.2/29")


def test_after_a_first_meeting_each_gives_from_a_place_of_its_own(host, other, many):
    """Else the second would give what the first one keeps for those that do not run now."""
    with ExitStack() as stack:
        kept = stack.enter_context(Space())
        host.attach(container(many[0], "0"))
        second = host.attach(container(kept, "1"))
        kept.ip("link del ethwe")
        given = [other.attach(container(many[n], f"{n:x}"))[0] for n in (2, 3, 4)]
        assert second[0] not in given
        assert host.attach(container(kept, "1")) == second


def test_one_that_did_not_run_gets_another_where_the_other_gave_its_own(host, other, one, two):
    with Space() as first_run:
        assert host.attach(container(first_run, "a"), SMALL) == ("10.2.1.1/29",)
        first_run.ip("link del ethwe")
    other.attach(container(two, "b"), "10.2.1.1/29")
    (given,) = host.attach(container(one, "a"), SMALL)
    assert given != "10.2.1.1/29"
    assert listed(host) == {A: (given,)}
    with pytest.raises(AttachError, match=r"10\.2\.1\.1/29 already in use by bbbbbbbbbbbb"):
        host.attach(container(one, "a"), "10.2.1.1/29")


def test_what_one_gave_back_is_the_others_to_give(host, other, one, two):
    host.attach(container(one, "a"), "10.2.1.5/24")
    host.detach(container(one, "a"))
    assert other.attach(container(two, "b"), "10.2.1.5/24") == ("10.2.1.5/24",)


def test_the_hosts_addresses_are_of_both(host, other, one):
    """Each its own, though the bridge is one."""
    first, second = expose(host, ""), expose(other, "")
    assert first != second
    with pytest.raises(AttachError, match="already in use by weave:expose"):
        other.attach(container(one, "a"), first[0])
    assert other.run(other.backend.hide) == second
    shown = host.space.ip("addr show dev weave")
    assert first[0] in shown
    assert second[0] not in shown


def test_many_at_once_by_both_all_get_their_own(host: Host, other: Host, many):
    def attach(number: int) -> tuple[str, ...]:
        mine = (host, other)[number % 2]
        return mine.attach(Container(f"{number:064x}", many[number].pid))

    with ThreadPoolExecutor(12) as pool:
        given = list(pool.map(attach, range(12)))
    assert len(set(given)) == 12
    assert [tuple(addresses(space)) for space in many] == given


def test_an_address_that_is_taken_between_claim_and_link(host, other, one, two, monkeypatch):
    """Neither saw the other's when it asked: the kernel has the last word."""
    prepare(host, other)
    host.attach(container(one, "a"))
    with monkeypatch.context() as patch:
        asked: list[str] = []

        def see_nothing_at_first(asking: str, address: object) -> str | None:
            asked.append(asking)
            return None if len(asked) <= 1 else seeing(asking, address)  # type: ignore[arg-type]

        seeing = addresses_names.linked
        patch.setattr(bridge, "linked", see_nothing_at_first)
        (given,) = other.attach(container(two, "b"))
        assert len(asked) > 1
    assert addresses(two) == [given]
    assert given not in addresses(one)
    monkeypatch.setattr(bridge, "linked", lambda *_: None)
    with pytest.raises(AttachError, match=r"^address 10\.32\.0\.1/12 was taken meanwhile$"):
        other.attach(container(two, "b"), "10.32.0.1/12")
    assert addresses(two) == [given]


def test_remove_all_leaves_the_other_working(host, other, one, two, chain):
    prepare(host, other)
    host.attach(container(one, "a"))
    other.attach(container(two, "b"), "10.2.1.6/24")
    expose(host, "10.2.1.1/24")
    expose(other, "10.2.1.2/24")
    host.run(host.backend.remove_all)
    assert not host.state.exists()
    assert names(one) == []
    assert host.links() == sorted(["weave", host_end_name(B)])
    assert chain()
    shown = host.space.ip("addr show dev weave")
    assert "10.2.1.2/24" in shown
    assert "10.2.1.1/24" not in shown
    assert reaches(two, "10.2.1.2")
    assert other.attach(container(one, "a"), "10.2.1.5/24") == ("10.2.1.5/24",)
    other.run(other.backend.remove_all)
    assert host.links() == []
    assert not chain()


def test_an_exposed_host_keeps_the_bridge(host, other, chain):
    prepare(host, other)
    expose(other, "10.2.1.2/24")
    host.run(host.backend.remove_all)
    assert host.links() == ["weave"]
    assert chain()
    other.run(other.backend.hide)
    other.run(other.backend.remove_all)
    assert host.links() == []


def test_one_that_had_nothing_attached_makes_the_bridge_again(host, other, one, two, chain):
    prepare(host, other)
    host.run(host.backend.remove_all)
    assert host.links() == []
    other.attach(container(one, "a"), "10.2.1.5/24")
    other.attach(container(two, "b"), "10.2.1.6/24")
    assert reaches(one, "10.2.1.6")
    assert chain()


def test_the_bridge_stays_while_another_attaches(host, other, one):
    """Its link is not there yet: the kernel's lock says it."""
    prepare(host, other)

    def remove_meanwhile() -> None:
        with bridge_used():
            host.backend.remove_all()

    host.run(remove_meanwhile)
    assert host.links() == ["weave"]
    host.run(host.backend.remove_all)
    assert host.links() == []


def test_an_attach_waits_while_the_bridge_is_taken_away(host, one):
    fd = os.open(f"/proc/{host.space.pid}/ns/net", os.O_RDONLY)
    with ThreadPoolExecutor(1) as pool:
        fcntl.flock(fd, fcntl.LOCK_EX)
        attached = pool.submit(host.attach, container(one, "a"), "10.2.1.5/24")
        waits_for_lock(fd)
        assert host.links() == []
        os.close(fd)
        assert attached.result() == ("10.2.1.5/24",)


def waits_for_lock(fd: int) -> None:
    """/proc/locks shows whoever waits, below the lock, with an arrow; no event says it."""
    inode = f":{os.fstat(fd).st_ino} "
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not any(
        " -> " in line and inode in line for line in Path("/proc/locks").read_text().splitlines()
    ):
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


def test_both_make_the_bridge_again_with_all_ports_and_addresses(host, other, one, two):
    host.attach(container(one, "a"), "10.2.1.5/24")
    other.attach(container(two, "b"), "10.2.1.6/24")
    expose(host, "10.2.1.1/24")
    expose(other, "10.2.1.2/24")
    host.space.ip("link del weave")
    host.attach(container(one, "a"), "10.2.1.5/24")
    assert reaches(one, "10.2.1.6")
    other.attach(container(two, "b"), "10.2.1.6/24")
    for address in ("10.2.1.1", "10.2.1.2"):
        assert reaches(one, address)


def test_an_exposed_address_that_a_container_took_while_no_bridge_was_there(
    host, other, one, two, caplog
):
    expose(host, "10.2.1.1/24")
    host.attach(container(one, "a"), "10.2.1.5/24")
    host.space.ip("link del weave")
    other.attach(container(two, "b"), "10.2.1.1/24")
    prepare(host)
    assert "the host is without 10.2.1.1/24: a container has it" in caplog.text
    assert "10.2.1.1/24" not in host.space.ip("addr show dev weave")
    assert reaches(one, "10.2.1.1")


def test_a_kernel_without_such_names_has_its_own_books_still(host, one, two, monkeypatch):
    def unsupported(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "injected")

    monkeypatch.setattr(altname, "change", unsupported)
    assert host.attach(container(one, "a"), "10.2.1.5/24 fd00::5/64") == (
        "10.2.1.5/24",
        "fd00::5/64",
    )
    with pytest.raises(AttachError, match="already in use by aaaaaaaaaaaa"):
        host.attach(container(two, "b"), "10.2.1.5/24")
    assert set(host.detach(container(one, "a"))) == {"10.2.1.5/24", "fd00::5/64"}
