"""The rules of create: what the engine would run, and the gate in front of it."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waitforweave.docker.create import (
    GATE,
    VOLUMES_FROM,
    Gated,
    LeftAlone,
    MalformedError,
    decide_create,
    decide_inspected,
    effective_command,
    wrap,
)
from waitforweave.gate.weave_cidr import WeaveCidrError

IMAGE = {"Entrypoint": ["ie"], "Cmd": ["ic"]}
ABSENT = object()


def body(entrypoint: object, cmd: object) -> dict[str, object]:
    given = {"Entrypoint": entrypoint, "Cmd": cmd}
    return {key: value for key, value in given.items() if value is not ABSENT}


# moby's merge, cell by cell; the matrix on the real engine is tests/docker/hooks.
COMMANDS = [
    (ABSENT, ABSENT, ["ie", "ic"]),
    (None, None, ["ie", "ic"]),
    (ABSENT, ["c"], ["ie", "c"]),
    (ABSENT, [], ["ie", "ic"]),
    (ABSENT, "c d", ["ie", "c d"]),
    ([], ABSENT, ["ic"]),
    ([], ["c"], ["c"]),
    ([""], ABSENT, []),
    ([""], ["c"], ["c"]),
    ("", ["c"], ["c"]),
    (["e"], ABSENT, ["e"]),
    (["e"], ["c"], ["e", "c"]),
    ("e f", ["c"], ["e f", "c"]),
]


@pytest.mark.parametrize(("entrypoint", "cmd", "command"), COMMANDS)
def test_effective_command(entrypoint, cmd, command):
    assert effective_command(body(entrypoint, cmd), IMAGE) == command


@pytest.mark.parametrize(("entrypoint", "cmd", "command"), COMMANDS)
def test_wrapped_is_the_gate_and_then_what_would_have_run(entrypoint, cmd, command):
    wrapped = body(entrypoint, cmd)
    assert wrap(wrapped, IMAGE) is bool(command)
    assert effective_command(wrapped, IMAGE) == ([GATE, *command] if command else [])


def test_the_articles_remap():
    wrapped: dict[str, object] = {"Cmd": ["--fruit", "apples"]}
    wrap(wrapped, {"Entrypoint": ["bash", "/app/script.sh"], "Cmd": None})
    assert wrapped["Entrypoint"] == [GATE]
    assert wrapped["Cmd"] == ["bash", "/app/script.sh", "--fruit", "apples"]
    assert wrapped["HostConfig"] == {"VolumesFrom": [VOLUMES_FROM]}


def test_a_command_like_an_option_comes_after_two_dashes():
    wrapped = {"Entrypoint": ["-x"], "Cmd": ["y"]}
    wrap(wrapped, {})
    assert wrapped["Cmd"] == ["--", "-x", "y"]


WORDS = st.lists(st.text(max_size=3), max_size=3)
FIELD = st.one_of(st.just(ABSENT), st.none(), st.text(max_size=3), WORDS)


@settings(deadline=None)
@given(FIELD, FIELD, FIELD, FIELD)
def test_wrapping_twice_is_wrapping_once(entrypoint, cmd, image_entrypoint, image_cmd):
    wrapped, image = body(entrypoint, cmd), body(image_entrypoint, image_cmd)
    wrap(wrapped, image)
    once = copy.deepcopy(wrapped)
    assert wrap(wrapped, image) is False
    assert wrapped == once


def test_an_image_committed_from_a_gated_container_gets_no_second_gate():
    wrapped = {"Cmd": ["new"]}
    assert wrap(wrapped, {"Entrypoint": [GATE], "Cmd": ["old"]}) is True
    assert wrapped == {"Cmd": ["new"], "HostConfig": {"VolumesFrom": [VOLUMES_FROM]}}


@pytest.mark.parametrize("there", ["weavewait", "weavewait:ro", "weavewait:rw"])
def test_a_volume_that_is_named_is_not_named_again(there):
    wrapped = {"Cmd": ["c"], "HostConfig": {"VolumesFrom": ["other", there]}}
    wrap(wrapped, {})
    assert wrapped["HostConfig"] == {"VolumesFrom": ["other", there]}


def test_other_volumes_and_unknown_keys_stay_as_they_are_and_where_they_are():
    wrapped = {"Z": 1, "Cmd": ["c"], "HostConfig": {"VolumesFrom": ["other"], "Y": 2}, "A": 3}
    wrap(wrapped, {})
    assert list(wrapped) == ["Z", "Cmd", "HostConfig", "A", "Entrypoint"]
    assert wrapped["HostConfig"] == {"VolumesFrom": ["other", VOLUMES_FROM], "Y": 2}


@pytest.mark.parametrize("wrong", [5, {"a": 1}, ["a", 1], True])
def test_what_is_of_a_wrong_type_is_for_the_engine_to_refuse(wrong):
    with pytest.raises(MalformedError, match="Cmd"):
        effective_command({"Cmd": wrong}, {})
    with pytest.raises(MalformedError, match="Env"):
        decide_create({"Env": wrong}, {})
    with pytest.raises(MalformedError, match="HostConfig"):
        decide_create({"HostConfig": [wrong]}, {})


def create_body(mode: str, *env: str) -> dict[str, object]:
    return {"Env": list(env), "HostConfig": {"NetworkMode": mode}}


@pytest.mark.parametrize(
    ("request_body", "reason"),
    [
        (create_body("default"), "no WEAVE_CIDR"),
        (create_body("default", "OTHER=1"), "no WEAVE_CIDR"),
        (create_body("default", "WEAVE_CIDR=none"), "WEAVE_CIDR=none"),
        (create_body("host", "WEAVE_CIDR=10.2.1.5/24"), "network mode host"),
        (create_body("container:abc", "WEAVE_CIDR="), "network mode container:abc"),
        (create_body("service:db", "WEAVE_CIDR="), "network mode service:db"),
        ({"Env": None, "HostConfig": None}, "no WEAVE_CIDR"),
        ({}, "no WEAVE_CIDR"),
    ],
)
def test_left_alone_and_why(request_body, reason):
    assert decide_create(request_body, {}) == LeftAlone(reason)


@pytest.mark.parametrize("mode", ["", "default", "bridge", "none", "my-network"])
def test_gated_in_every_network_that_is_the_containers_own(mode):
    decision = decide_create(create_body(mode, "WEAVE_CIDR=10.2.1.5/24"), {})
    assert isinstance(decision, Gated)
    assert [wanted.text for wanted in decision.wanted] == ["10.2.1.5/24"]


def test_the_image_may_name_the_addresses_and_the_container_take_them_away():
    image = {"Env": ["WEAVE_CIDR=10.2.1.5/24"]}
    assert isinstance(decide_create({}, image), Gated)
    assert decide_create({"Env": ["WEAVE_CIDR"]}, image) == LeftAlone("no WEAVE_CIDR")


def test_an_inspected_container_is_decided_alike():
    container = {
        "Config": {"Env": ["WEAVE_CIDR=10.2.1.5/24"]},
        "HostConfig": {"NetworkMode": "default"},
    }
    assert decide_inspected(container) == decide_create(
        create_body("default", "WEAVE_CIDR=10.2.1.5/24"), {}
    )


def test_nonsense_is_an_error_with_the_wrong_word():
    with pytest.raises(WeaveCidrError, match=r"10\.2\.1\.300/24"):
        decide_create(create_body("default", "WEAVE_CIDR=10.2.1.5/24 10.2.1.300/24"), {})
