"""What every backend keeps to, with a real kernel, real plugins, and the stand-in for `weave`."""

from __future__ import annotations

import subprocess

import pytest

from tests.netns.attach.conftest import addresses, names, reaches
from tests.netns.attach.contract.calls import ONE, TWO, attach, check, listed, shown
from tests.netns.gate.space import Space
from waitforweave.attach.backend import AttachError, Container
from waitforweave.gate.weave_cidr import parse


def test_prepare_may_be_repeated(rig):
    rig.host.run(rig.host.backend.prepare)
    rig.host.run(rig.host.backend.prepare)


def test_ethwe_is_there_and_up_when_attach_returns(rig, one):
    assert attach(rig, rig.container(one, "a")) == (ONE,)
    assert addresses(one) == [ONE]
    assert "LOWER_UP" in one.ip("link show ethwe")
    check(rig, rig.container(one, "a"))


def test_two_containers_reach_each_other(rig, one, two):
    attach(rig, rig.container(one, "a"))
    attach(rig, rig.container(two, "b"), TWO)
    assert reaches(one, "10.2.1.6")
    assert reaches(two, "10.2.1.5")


def test_an_address_that_nobody_named(rig, one):
    given = attach(rig, rig.container(one, "a"), "net:default")
    assert list(given) == addresses(one)
    check(rig, rig.container(one, "a"), "net:default")


def test_nothing_wanted_nothing_done(rig, one):
    before = rig.left(one)
    assert attach(rig, rig.container(one, "a"), "none") == ()
    check(rig, rig.container(one, "a"), "none")
    assert rig.left(one) == before


def test_the_same_again_changes_nothing(rig, one):
    attach(rig, rig.container(one, "a"))
    before = shown(one), rig.left(one)
    assert attach(rig, rig.container(one, "a")) == (ONE,)
    assert attach(rig.again(), rig.container(one, "a")) == (ONE,)
    assert (shown(one), rig.left(one)) == before


def test_list_says_who_has_what_also_to_the_next_process(rig, one, two):
    assert listed(rig) == {}
    attach(rig, rig.container(one, "a"))
    attach(rig, rig.container(two, "b"), TWO)
    assert listed(rig) == {"a" * 64: (ONE,), "b" * 64: (TWO,)}
    assert listed(rig.again()) == listed(rig)


def test_detach_leaves_nothing_and_is_idempotent(rig, one):
    before = rig.left(one)
    attach(rig, rig.container(one, "a"))
    assert rig.host.detach(rig.container(one, "a")) == (ONE,)
    assert rig.left(one) == before
    assert rig.host.detach(rig.container(one, "a")) == ()


def test_detach_works_when_the_namespace_is_gone(rig, one):
    before = rig.left(one)
    with Space() as ended:
        attach(rig, rig.container(ended, "c"))
        ended.ip("link del ethwe")  # As the end of its namespace does, but later.
    rig.host.run(lambda: rig.host.backend.detach("c" * 64))
    assert listed(rig) == {}
    if rig.kind != "weave":  # It sees for itself to the addresses of those that ended.
        assert rig.left(one) == before


def test_an_address_that_was_given_back_is_given_again(rig, one, two):
    attach(rig, rig.container(one, "a"))
    rig.host.detach(rig.container(one, "a"))
    assert attach(rig, rig.container(two, "b")) == (ONE,)


def test_an_address_in_use_is_refused_and_nothing_is_left(rig, one, two):
    attach(rig, rig.container(one, "a"))
    before = rig.left(one, two)
    with pytest.raises(AttachError, match=r"10\.2\.1\.5/24 already in use by aaaaaaaaaaaa"):
        attach(rig, rig.container(two, "b"))
    assert rig.left(one, two) == before


def test_a_container_that_runs_anew_is_attached_anew(rig, one):
    with Space() as first_run:
        attach(rig, rig.container(first_run, "a"))
        first_run.ip("link del ethwe")
    assert attach(rig, rig.container(one, "a")) == (ONE,)
    assert addresses(one) == [ONE]
    assert listed(rig) == {"a" * 64: (ONE,)}


def test_a_foreign_ethwe_is_left_alone(rig, one):
    one.ip("link add ethwe type bridge")
    before = rig.left(one)
    with pytest.raises(AttachError, match="ethwe is in the container already that is not ours"):
        attach(rig, rig.container(one, "a"))
    assert rig.left(one) == before


def test_who_does_not_run_is_told(rig):
    ended = subprocess.Popen(["true"])
    ended.wait()
    with pytest.raises(AttachError, match=r"^container aaaaaaaaaaaa not running$"):
        attach(rig, Container("a" * 64, ended.pid))


def test_the_hosts_namespace_is_refused(rig):
    before = rig.left()
    with pytest.raises(AttachError, match="running in the host network namespace"):
        attach(rig, rig.container(rig.host.space, "a"))
    assert rig.left() == before


def test_check_says_what_is_missing_and_changes_nothing(rig, one):
    with pytest.raises(AttachError, match=r"^ethwe is not there$"):
        check(rig, rig.container(one, "a"))
    attach(rig, rig.container(one, "a"))
    with pytest.raises(AttachError, match=r"lacks 10\.2\.1\.6/24; it has 10\.2\.1\.5/24$"):
        check(rig, rig.container(one, "a"), TWO)
    before = rig.left(one)
    check(rig, rig.container(one, "a"))
    assert rig.left(one) == before
    one.ip("addr del 10.2.1.5/24 dev ethwe")
    with pytest.raises(AttachError, match=r"lacks 10\.2\.1\.5/24; it has none$"):
        check(rig, rig.container(one, "a"))


def test_remove_all_takes_all_of_ours_and_nothing_else(rig, one, two):
    rig.host.space.ip("link add other type bridge")
    attach(rig, rig.container(one, "a"))
    attach(rig, rig.container(two, "b"), TWO)
    if rig.exposes:
        rig.host.run(lambda: rig.host.backend.expose(parse("10.2.1.1/24")))
    rig.host.run(rig.host.backend.remove_all)
    assert names(one) == names(two) == []
    assert set(rig.host.links()) - {"weave", "cni0"} == {"other"}
    assert not rig.books()
    assert not rig.host.state.exists()
    rig.host.run(rig.host.backend.remove_all)


def test_expose_and_hide(rig, one):
    backend = rig.host.backend
    if not rig.exposes:
        with pytest.raises(AttachError, match="the backend cni cannot expose the host"):
            rig.host.run(lambda: backend.expose(parse("10.2.1.1/24")))
        assert rig.host.run(backend.hide) == ()
        return
    before = rig.left(one)
    attach(rig, rig.container(one, "a"))
    for _ in range(2):
        given = rig.host.run(lambda: backend.expose(parse("10.2.1.1/24 net:10.32.0.0/16")))
        assert given == ("10.2.1.1/24", "10.32.0.1/16")
    assert reaches(one, "10.2.1.1")
    assert rig.host.run(lambda: backend.hide(parse("10.2.1.1/24"))) == ("10.2.1.1/24",)
    assert rig.host.run(backend.hide) == ("10.32.0.1/16",)
    assert rig.host.run(backend.hide) == ()
    rig.host.detach(rig.container(one, "a"))
    assert rig.left(one) == before
