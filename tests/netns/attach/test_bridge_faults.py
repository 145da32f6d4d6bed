"""Each step of an attach fails once: afterwards all is as it was, and the next attach works."""

from __future__ import annotations

import errno
import itertools
from collections.abc import Iterator

import pytest
from pyroute2.netlink.exceptions import NetlinkError

from tests.netns.attach.conftest import Host, addresses, container, names
from tests.netns.attach.faults import REFUSED, Faults, Faulty
from tests.netns.gate.space import Space
from waitforweave.attach import altname, bridge, netns, pair, sysctl
from waitforweave.attach.backend import AttachError

WANTED = "10.2.1.5/24 fd00::5/64 net:default"
WANTED_MORE = "10.2.1.5/24 10.9.9.9/24 fd00::9/64"
KINDS = {
    "claim",
    "confirm",
    "owner",
    "enter",
    "link",
    "addr",
    "route",
    "allow_ipv6",
    "rule",
    "name",
}
FULL = OSError(errno.ENOBUFS, "injected")


def inject(monkeypatch: pytest.MonkeyPatch, host: Host, number: int) -> Faults:
    """Every request to the kernel, every entering of a namespace and each step of the books."""
    faults = Faults(number)

    for module in (bridge, pair):
        monkeypatch.setattr(module, "IPRoute", lambda: Faulty(faults))
    monkeypatch.setattr(netns, "enter", faults.wrap("enter", netns.enter, REFUSED))
    opened = host.backend._opened  # type: ignore[attr-defined]
    monkeypatch.setattr(opened, "ensure", faults.wrap("rule", opened.ensure, REFUSED))
    monkeypatch.setattr(pair, "allow_ipv6", faults.wrap("allow_ipv6", sysctl.allow_ipv6, REFUSED))
    monkeypatch.setattr(altname, "change", faults.wrap("name", altname.change, FULL))
    ipam = host.backend.ipam  # type: ignore[attr-defined]
    for name in ("claim", "confirm", "owner", "held", "holders", "release", "give_back"):
        monkeypatch.setattr(ipam, name, faults.wrap(name, getattr(ipam, name), REFUSED))
    return faults


@pytest.fixture
def prepared(host: Host) -> Host:
    """The bridge is everybody's and stays; an attach that fails takes its own away."""
    host.run(host.backend.prepare)
    return host


def test_a_first_attach_that_fails_leaves_nothing(prepared, one, monkeypatch):
    for faults in until_it_succeeds(monkeypatch, prepared, one, WANTED):
        assert names(one) == [], faults.steps[-1]
        assert prepared.links() == ["weave"], faults.steps[-1]
        assert prepared.backend.ipam.release("a" * 64) == (), faults.steps[-1]
    assert len(addresses(one)) == 3


def test_a_further_attach_that_fails_leaves_the_first(prepared, one, monkeypatch):
    prepared.attach(container(one, "a"), WANTED)
    before = addresses(one)
    for faults in until_it_succeeds(monkeypatch, prepared, one, WANTED_MORE):
        assert addresses(one) == before, faults.steps[-1]
    assert len(addresses(one)) == 5
    assert set(prepared.detach(container(one, "a"))) == {*before, "10.9.9.9/24", "fd00::9/64"}


def until_it_succeeds(monkeypatch, host: Host, space: Space, value: str) -> Iterator[Faults]:
    """Attach with the first step failing, then with the second, until none is left to fail."""
    for number in itertools.count(1):
        with monkeypatch.context() as patch:
            faults = inject(patch, host, number)
            if attach_succeeds(host, space, value):
                assert not faults.struck, f"nobody heard of it: {faults.steps[-1]}"
                break
        yield faults
    # Or nothing was tested.
    assert {step.split()[0] for step in faults.steps} >= KINDS


def attach_succeeds(host: Host, space: Space, value: str) -> bool:
    try:
        host.attach(container(space, "a"), value)
    except (AttachError, NetlinkError):  # The second: `host.run` enters by the same function.
        return False
    return True
