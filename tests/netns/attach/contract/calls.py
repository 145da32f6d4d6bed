"""What the contract's tests do to a rig."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from pyroute2.netlink.exceptions import NetlinkError

from tests.netns.attach.contract.rigs import Rig
from tests.netns.attach.faults import Faults
from tests.netns.gate.space import Space
from waitforweave.attach.backend import AttachError, Container
from waitforweave.gate.weave_cidr import parse

ONE, TWO = "10.2.1.5/24", "10.2.1.6/24"
# The last two from the rig's own entering.
FAILURES = (AttachError, NetlinkError, OSError)


def attach(rig: Rig, container: Container, value: str = ONE) -> tuple[str, ...]:
    return rig.host.attach(container, value)


def check(rig: Rig, container: Container, value: str = ONE) -> None:
    rig.host.run(lambda: rig.host.backend.check(container, parse(value)))


def listed(rig: Rig) -> dict[str, tuple[str, ...]]:
    return dict(rig.host.run(rig.host.backend.list))


def shown(space: Space) -> str:
    """All of its `ethwe`; not the link-local address, which settles by itself."""
    return space.ip("-d link show ethwe", "addr show ethwe scope global")


def until_it_succeeds(
    monkeypatch: pytest.MonkeyPatch, rig: Rig, work: Callable[[], object]
) -> Iterator[Faults]:
    """The work with its first step failing, then with the second, until none is left to fail."""
    for number in itertools.count(1):
        with monkeypatch.context() as patch:
            faults = rig.inject(patch, rig, number)
            try:
                work()
            except FAILURES:
                pass
            else:
                assert not faults.struck, f"nobody heard of it: {faults.steps[-1]}"
                break
        yield faults
    # Or nothing was tested.
    assert len(faults.steps) > 1, faults.steps
