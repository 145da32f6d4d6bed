"""The rules of create: what the engine would run, and the gate in front of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waitforweave.docker.create import (
    GATE,
    VOLUMES_FROM,
    Gated,
    LeftAlone,
    decide_create,
    decide_inspected,
    effective_command,
    unwrap,
    wrap,
)
from waitforweave.docker.json_object import MalformedError, Object, dump, parse
from waitforweave.gate.weave_cidr import WeaveCidrError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
IMAGE = {"Entrypoint": ["ie"], "Cmd": ["ic"]}
ABSENT = object()


def read(value: object) -> dict[str, object]:
    """A body as the hook reads it."""
    return parse(json.dumps(value))


def wrapped(value: object, image: Object | None = None) -> dict[str, object]:
    """The body as it goes on, gated."""
    body = read(value)
    assert wrap(body, image or {}) is True
    return dict(json.loads(dump(body)))


def body(entrypoint: object, cmd: object) -> dict[str, object]:
    given = {"Entrypoint": entrypoint, "Cmd": cmd}
    return read({key: value for key, value in given.items() if value is not ABSENT})


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
    ([None], ABSENT, []),
    (["e", None], ["c"], ["e", "", "c"]),
    ("e f", ["c"], ["e f", "c"]),
]


@pytest.mark.parametrize(("entrypoint", "cmd", "command"), COMMANDS)
def test_effective_command(entrypoint, cmd, command):
    assert effective_command(body(entrypoint, cmd), IMAGE) == command


@pytest.mark.parametrize(("entrypoint", "cmd", "command"), COMMANDS)
def test_wrapped_is_the_gate_and_then_what_would_have_run(entrypoint, cmd, command):
    given = body(entrypoint, cmd)
    assert wrap(given, IMAGE) is bool(command)
    assert effective_command(given, IMAGE) == ([GATE, *command] if command else [])


def test_the_articles_remap():
    image = {"Entrypoint": ["bash", "/app/script.sh"], "Cmd": None}
    assert wrapped({"Cmd": ["--fruit", "apples"]}, image) == {
        "Cmd": ["bash", "/app/script.sh", "--fruit", "apples"],
        "Entrypoint": [GATE],
        "HostConfig": {"VolumesFrom": [VOLUMES_FROM]},
    }


def test_a_command_like_an_option_comes_after_two_dashes():
    assert wrapped({"Entrypoint": ["-x"], "Cmd": ["y"]})["Cmd"] == ["--", "-x", "y"]


WORDS = st.lists(st.text(max_size=3), max_size=3)
FIELD = st.one_of(st.just(ABSENT), st.none(), st.text(max_size=3), WORDS)
OTHERS = st.dictionaries(st.sampled_from(["Labels", "Tty", "X", "Ünbekannt"]), JSON, max_size=3)


@settings(deadline=None)
@given(FIELD, FIELD, FIELD, FIELD)
def test_wrapping_twice_is_wrapping_once(entrypoint, cmd, image_entrypoint, image_cmd):
    once, image = body(entrypoint, cmd), body(image_entrypoint, image_cmd)
    wrap(once, image)
    twice = parse(dump(once))
    assert wrap(twice, image) is False
    assert dump(twice) == dump(once)


@settings(deadline=None)
@given(OTHERS, OTHERS)
def test_keys_that_are_not_ours_stay_what_they_are_and_where_they_are(others, others_of_host):
    host = {**others_of_host, "VolumesFrom": ["other"]}
    gated = wrapped({**others, "Cmd": ["c"], "HostConfig": host})
    assert list(gated) == [*others, "Cmd", "HostConfig", "Entrypoint"]
    assert {key: gated[key] for key in others} == others
    assert gated["HostConfig"] == {**others_of_host, "VolumesFrom": ["other", VOLUMES_FROM]}


def test_values_that_are_not_ours_keep_their_very_text():
    given = parse('{"X": 1.50,"Y":[1e999, 123456789012345678901234567890] ,"Cmd": ["c"]}')
    wrap(given, {})
    assert dump(given).startswith(
        '{"X":1.50,"Y":[1e999, 123456789012345678901234567890],"Cmd":["c"],'
    )


@pytest.mark.parametrize(("entrypoint", "cmd", "command"), COMMANDS)
def test_unwrapped_a_committed_container_runs_what_would_have_run(entrypoint, cmd, command):
    committed = body(entrypoint, cmd)
    if not wrap(committed, IMAGE):
        return
    again = read({"Image": "committed"})
    assert unwrap(again, committed) is True
    assert effective_command(again, committed) == command


@pytest.mark.parametrize("program", ["-x", "--"])
def test_unwrapped_a_program_that_begins_with_a_dash_is_itself_again(program):
    committed = body([program], ["--", "a"])
    wrap(committed, {})
    again = read({})
    assert unwrap(again, committed) is True
    assert effective_command(again, committed) == [program, "--", "a"]


@pytest.mark.parametrize("command", [["p"], [GATE], [GATE, "--"], [GATE, "--seconds", "5", "p"]])
def test_what_wrap_did_not_make_is_not_unwrapped(command):
    given = body(command, ABSENT)
    assert unwrap(given, {}) is False
    assert given == body(command, ABSENT)


def test_an_image_committed_from_a_gated_container_gets_no_second_gate():
    assert wrapped({"Cmd": ["new"]}, {"Entrypoint": [GATE], "Cmd": ["old"]}) == {
        "Cmd": ["new"],
        "HostConfig": {"VolumesFrom": [VOLUMES_FROM]},
    }


@pytest.mark.parametrize("there", ["weavewait", "weavewait:ro", "weavewait:rw"])
def test_a_volume_that_is_named_is_not_named_again(there):
    gated = wrapped({"Cmd": ["c"], "HostConfig": {"VolumesFrom": ["other", there]}})
    assert gated["HostConfig"] == {"VolumesFrom": ["other", there]}


@pytest.mark.parametrize("wrong", [5, {"a": 1}, ["a", 1], True, 1.5])
def test_what_is_of_a_wrong_type_is_for_the_engine_to_refuse(wrong):
    with pytest.raises(MalformedError, match="Cmd"):
        effective_command(read({"Cmd": wrong}), {})
    with pytest.raises(MalformedError, match="Env"):
        decide_create(read({"Env": wrong}), {})
    with pytest.raises(MalformedError, match="NetworkMode"):
        decide_create(read({"HostConfig": {"NetworkMode": wrong}}), {})
    with pytest.raises(MalformedError, match="HostConfig"):
        decide_create(read({"HostConfig": [wrong]}), {})


@pytest.mark.parametrize("name", ["Env", "VolumesFrom"])
def test_a_string_is_one_word_only_where_the_engine_takes_it_so(name):
    given = read({"Cmd": "c", "Env": "A=1", "HostConfig": {"VolumesFrom": "x"}})
    with pytest.raises(MalformedError, match=name):
        decide_create(given, {}) if name == "Env" else wrap(given, {})


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
        (create_body("container:a\nb", "WEAVE_CIDR="), r"network mode container:a\nb"),
        ({"Env": None, "HostConfig": None}, "no WEAVE_CIDR"),
        ({}, "no WEAVE_CIDR"),
    ],
)
def test_left_alone_and_why(request_body, reason):
    assert decide_create(read(request_body), {}) == LeftAlone(reason)


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
