"""The backend weave: what the command is given, and what becomes of its answers."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace

import pytest

from tests.netns.attach.conftest import Host, addresses, container, names
from tests.netns.attach.contract import rigs
from tests.netns.attach.contract.rigs import ENGINE, made
from tests.netns.gate.space import Space
from tests.support import fake_weave
from waitforweave.attach.backend import AttachError
from waitforweave.attach.options import Options, Place
from waitforweave.attach.weave import WeaveBackend
from waitforweave.gate.weave_cidr import parse

A, B = "a" * 64, "b" * 64


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "weave"


@pytest.fixture
def host(spaces, tmp_path, monkeypatch) -> Host:
    """With both containers known to the stand-in's engine."""
    rig = rigs.weave(spaces[0], tmp_path, monkeypatch)
    rig.container(spaces[1], "a")
    rig.container(spaces[2], "b")
    return rig.host


def refused(host: Host, space: Space, value: str, letter: str = "a") -> str:
    with pytest.raises(AttachError) as error:
        host.attach(container(space, letter), value)
    return str(error.value)


def test_words_are_given_as_words(host, one, folder):
    host.attach(container(one, "a"), "ip:10.2.1.5/24,net:10.32.5.0/24 net:default")
    host.detach(container(one, "a"))
    host.run(host.backend.prepare)
    host.run(lambda: host.backend.expose(parse("10.2.1.1/24")))
    host.run(host.backend.hide)
    assert fake_weave.calls(folder) == [
        ["attach", "10.2.1.5/24", "net:10.32.5.0/24", "net:default", A],
        ["detach", A],
        ["status"],
        ["expose", "10.2.1.1/24"],
        ["hide"],
    ]


def test_each_words_address_in_the_words_order(host, one):
    given = host.attach(container(one, "a"), "net:default 10.2.1.5/24 net:10.32.5.0/24")
    assert given == ("10.32.0.1/12", "10.2.1.5/24", "10.32.5.1/24")
    assert set(addresses(one)) == set(given)


def test_no_multicast_route_is_weaves_own_option(host, one, folder):
    host.attach(container(one, "a"), "10.2.1.5/24")
    assert "224.0.0.0/4 dev ethwe" in one.ip("route")
    host.detach(container(one, "a"))
    options = Options(weave=str(folder / "bin" / "weave"), multicast_route=False)
    without = made("weave", host.space, host.state, options)
    without.attach(container(one, "a"), "10.2.1.5/24")
    assert "224.0.0.0/4" not in one.ip("route")
    assert fake_weave.calls(folder)[-1] == ["attach", "--no-multicast-route", "10.2.1.5/24", A]


def test_it_is_found_on_path_and_told_the_engine(host, one, folder, monkeypatch):
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("DOCKER_HOST", "unix:///our-own-proxy.sock")
    found = made("weave", host.space, host.state, Options())
    assert found.attach(container(one, "a"), "10.2.1.5/24") == ("10.2.1.5/24",)


def test_the_stand_in_would_not_take_another_engine(host, one, folder):
    (folder / "docker_host").write_text("unix:///another.sock")
    assert f"was told DOCKER_HOST={ENGINE} (exit code 99)" in refused(host, one, "10.2.1.5/24")


def test_no_such_command_is_told(host, one):
    options = Options(weave="/no/such/weave")
    without = made("weave", host.space, host.state, options)
    assert refused(without, one, "10.2.1.5/24") == (
        "there is no command /no/such/weave to run; Weave Net has to be installed on this host, "
        "and --weave may name its command"
    )
    assert without.run(without.backend.list) == {}


def test_its_answers_reach_the_client(host, one, two, folder):
    host.attach(container(one, "a"), "10.2.1.5/24")
    assert refused(host, two, "10.2.1.5/24", "b") == (
        f"weave attach: Unable to claim: address 10.2.1.5/24 already in use by {A} (exit code 1)"
    )
    assert refused(host, two, "net:10.2.2.0/24", "b") == (
        "weave attach: range 10.2.2.0/24 out of bounds: 10.32.0.0/12 (exit code 1)"
    )
    (folder / "containers.json").write_text("{}")
    assert refused(host, two, "10.2.1.6/24", "b") == (
        f"weave attach: unable to inspect container {B}: No such container: {B} (exit code 1)"
    )


def test_a_router_that_is_down_is_told(host, one, folder):
    (folder / "down").touch()
    said = "weave container is not running. (exit code 7)"
    assert refused(host, one, "net:default") == f"weave attach: {said}"
    with pytest.raises(AttachError) as error:
        host.run(host.backend.prepare)
    assert str(error.value) == f"weave status: {said}"
    (folder / "down").unlink()
    (folder / "reset").touch()
    assert refused(host, one, "10.2.1.5/24") == (
        'weave attach: bridge "weave" not present; did you launch weave? (exit code 1)'
    )


def test_ipv6_is_refused_before_anything_is_run(host, one, folder):
    for value in ("fd00::5/64", "net:fd00::/64"):
        assert (
            refused(host, one, value) == f"{value}: Weave Net has no IPv6; the backend bridge has"
        )
    assert fake_weave.calls(folder) == []


def test_one_claim_of_several_that_fails_gives_back_the_others(host, one, two, folder):
    """Weave claims first and attaches then: the first address would stay claimed."""
    host.attach(container(one, "a"), "10.2.1.5/24")
    refused(host, two, "10.2.1.6/24 10.2.1.5/24", "b")
    assert fake_weave.claims(folder) == {A: ["10.2.1.5/24"]}
    assert names(two) == []


def test_a_further_attach_that_fails_leaves_the_first(host, one, two, folder):
    host.attach(container(one, "a"), "10.2.1.5/24")
    host.attach(container(two, "b"), "10.2.1.6/24")
    refused(host, two, "10.3.1.6/24 10.2.1.5/24", "b")
    assert fake_weave.claims(folder)[B] == ["10.2.1.6/24"]
    assert addresses(two) == ["10.2.1.6/24"]
    assert host.run(host.backend.list)[B] == ("10.2.1.6/24",)


def test_who_was_attached_by_hand_is_not_ours_to_remove(host, one, folder):
    command = host.space.enter(str(folder / "bin" / "weave"), "attach", "10.2.1.5/24", A)
    environ = {**os.environ, "DOCKER_HOST": ENGINE}
    subprocess.run(command, check=True, capture_output=True, env=environ)
    assert host.run(host.backend.list) == {}
    host.run(host.backend.remove_all)
    assert addresses(one) == ["10.2.1.5/24"]


@pytest.mark.parametrize("what", ["ethwe is gone", "the container is gone", "weave was reset"])
def test_what_is_gone_already_is_detached(host, one, folder, what):
    host.attach(container(one, "a"), "10.2.1.5/24")
    if what == "ethwe is gone":
        one.ip("link del ethwe")
    elif what == "the container is gone":
        (folder / "containers.json").write_text("{}")
    else:
        (folder / "reset").touch()
    assert host.detach(container(one, "a")) == ("10.2.1.5/24",)
    assert host.run(host.backend.list) == {}


def test_a_detach_that_weave_refuses_is_told_and_can_be_repeated(host, one, folder):
    host.attach(container(one, "a"), "10.2.1.5/24")
    host_file = folder / "docker_host"
    host_file.write_text("unix:///another.sock")
    with pytest.raises(AttachError, match=r"^weave detach: .* \(exit code 99\)$"):
        host.detach(container(one, "a"))
    assert list(host.run(host.backend.list)) == [A]
    host_file.write_text(ENGINE)
    assert host.detach(container(one, "a")) == ("10.2.1.5/24",)


def test_a_call_that_hangs_ends(host, one, folder):
    (folder / "hang").touch()
    options = Options(weave=str(folder / "bin" / "weave"))
    backend = WeaveBackend(Place("10.32.0.0/12", host.state, ENGINE), options, seconds=1)
    slow = replace(host, backend=backend)
    assert refused(slow, one, "10.2.1.5/24").endswith("weave attach: no answer within 1 s; ended")
    assert slow.run(backend.list) == {}


def test_answers_that_break_the_rules(host, one, folder):
    """Exit code 0, and nothing done."""
    program = folder / "bin" / "weave"
    program.write_text("#!/bin/sh\nexit 0\n")
    assert refused(host, one, "10.2.1.5/24") == "ethwe is not there"
    program.write_text("#!/bin/sh\nexit 3\n")
    assert refused(host, one, "10.2.1.5/24") == "weave attach: it said nothing (exit code 3)"
    program.write_text("no program")
    program.chmod(0o644)
    assert refused(host, one, "10.2.1.5/24").startswith(f"there is no command {program} to run")
