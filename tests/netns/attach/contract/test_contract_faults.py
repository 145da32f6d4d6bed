"""Each step of whatever a backend is asked fails once: what is left, and what comes after."""

from __future__ import annotations

import contextlib
import itertools

import pytest

from tests.netns.attach.conftest import addresses
from tests.netns.attach.contract import rigs
from tests.netns.attach.contract.calls import (
    FAILURES,
    ONE,
    TWO,
    attach,
    check,
    listed,
    shown,
    until_it_succeeds,
)
from tests.netns.attach.contract.rigs import Rig
from tests.netns.gate.space import Space
from waitforweave.gate.weave_cidr import parse


@pytest.fixture(params=[*rigs.KINDS, *rigs.CHAINS])
def rig(request, spaces, tmp_path, monkeypatch) -> Rig:
    """Each backend, and the kinds of chain that the backend cni runs most."""
    return rigs.rig(request.param, spaces[0], tmp_path, monkeypatch)


def exposed(rig: Rig) -> list[str]:
    lines = rig.host.space.ip("-o -4 addr").splitlines()
    return [line.split()[3] for line in lines if line.split()[1] == "weave"]


def test_an_attach_that_fails_anywhere_leaves_nothing(rig, one, monkeypatch):
    target = rig.container(one, "a")
    rig.host.run(rig.host.backend.prepare)
    before = rig.left(one)
    for faults in until_it_succeeds(monkeypatch, rig, lambda: attach(rig, target)):
        assert rig.left(one) == before, faults.steps[-1]
    assert addresses(one) == [ONE]


def test_an_expose_that_fails_anywhere_leaves_nothing(rig, monkeypatch):
    if not rig.exposes:
        return
    rig.host.run(rig.host.backend.prepare)
    wanted = parse("10.2.1.1/24 net:10.32.0.0/16")

    def expose() -> object:
        return rig.host.run(lambda: rig.host.backend.expose(wanted))

    before = rig.left()
    for faults in until_it_succeeds(monkeypatch, rig, expose):
        assert (rig.left(), exposed(rig)) == (before, []), faults.steps[-1]
        assert rig.host.run(rig.host.backend.hide) == (), faults.steps[-1]
    there = exposed(rig)
    assert there[0] == "10.2.1.1/24"
    assert rig.host.run(rig.host.backend.hide) == tuple(there)


def test_a_detach_that_failed_anywhere_can_be_repeated(rig, one, monkeypatch):
    target = rig.container(one, "a")
    rig.host.run(rig.host.backend.prepare)
    before = rig.left(one)

    for number in itertools.count(1):
        attach(rig, target)
        with monkeypatch.context() as patch:
            faults = rig.inject(patch, rig, number)
            with contextlib.suppress(*FAILURES):
                rig.host.detach(target)
        rig.host.detach(target)
        assert rig.left(one) == before, faults.steps
        if not faults.struck:
            break
    assert number > 2


def test_so_can_one_after_the_end_of_the_namespace(rig, monkeypatch):
    before = rig.left()
    for number in itertools.count(1):
        with Space() as ended:
            attach(rig, rig.container(ended, "c"))
            ended.ip("link del ethwe")  # As the end of its namespace does, but later.
        with monkeypatch.context() as patch:
            faults = rig.inject(patch, rig, number)
            with contextlib.suppress(*FAILURES):
                rig.host.run(lambda: rig.host.backend.detach("c" * 64))
        rig.host.run(lambda: rig.host.backend.detach("c" * 64))
        assert listed(rig) == {}, faults.steps
        if rig.kind != "weave":  # It sees for itself to the addresses of those that ended.
            assert rig.left() == before, faults.steps
        if not faults.struck:
            break
    assert number > 2


def test_an_attach_again_that_fails_anywhere_leaves_the_first(rig, one, monkeypatch):
    """With a further address, where the backend can give one later."""
    target = rig.container(one, "a")
    attach(rig, target)
    before = shown(one), rig.left(one)
    more = ONE if rig.kind == "cni" else f"{ONE} {TWO}"
    for faults in until_it_succeeds(monkeypatch, rig, lambda: attach(rig, target, more)):
        assert (shown(one), rig.left(one)) == before, faults.steps[-1]
    assert addresses(one) == more.split()
    check(rig, target, more)


def test_a_check_that_fails_anywhere_says_so_and_changes_nothing(rig, one, monkeypatch):
    target = rig.container(one, "a")
    attach(rig, target)
    before = shown(one), rig.left(one)
    for faults in until_it_succeeds(monkeypatch, rig, lambda: check(rig, target)):
        assert (shown(one), rig.left(one)) == before, faults.steps[-1]


def test_a_list_that_fails_anywhere_says_so(rig, one, monkeypatch):
    """An empty one would have everybody's addresses given back."""
    attach(rig, rig.container(one, "a"))
    for faults in until_it_succeeds(monkeypatch, rig, lambda: listed(rig)):
        assert listed(rig) == {"a" * 64: (ONE,)}, faults.steps[-1]


def test_a_hide_that_failed_anywhere_can_be_repeated(rig, monkeypatch):
    if not rig.exposes:
        return
    backend = rig.host.backend
    rig.host.run(backend.prepare)
    before = rig.left()
    for number in itertools.count(1):
        rig.host.run(lambda: backend.expose(parse("10.2.1.1/24")))
        with monkeypatch.context() as patch:
            faults = rig.inject(patch, rig, number)
            with contextlib.suppress(*FAILURES):
                rig.host.run(backend.hide)
        rig.host.run(backend.hide)
        assert (rig.left(), exposed(rig)) == (before, []), faults.steps
        if not faults.struck:
            break
    assert number > 2
