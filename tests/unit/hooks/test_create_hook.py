"""Before create: what goes on to the engine, or what the client is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from waitforweave.docker.create import GATE, effective_command
from waitforweave.docker.engine import Engine, EngineError
from waitforweave.docker.json_object import parse

GATED = '{"Image": "i:1", "Env": ["WEAVE_CIDR=10.2.1.5/24"], "Cmd": ["c"]}'


def body_of(response) -> str:
    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer["PowerstripProtocolVersion"] == 1
    request = answer["ModifiedClientRequest"]
    assert (request["Method"], request["Request"]) == ("POST", "/v1.41/containers/create?name=a")
    return str(request["Body"])


def test_a_container_with_weave_cidr_is_gated(adapter):
    assert json.loads(body_of(adapter.create(GATED))) == {
        "Image": "i:1",
        "Env": ["WEAVE_CIDR=10.2.1.5/24"],
        "Cmd": ["ie", "c"],
        "Entrypoint": [GATE],
        "HostConfig": {"VolumesFrom": ["weavewait:ro"]},
        "Labels": {"weavewait.entrypoint": '["ie"]', "weavewait.cmd": '["c"]'},
    }


@pytest.mark.parametrize(
    "body",
    [
        '{"Image":  "i:1"}',
        '{"Image":  "i:1", "Env": ["WEAVE_CIDR=none"]}',
        '{"Image":  "i:1", "Env": ["WEAVE_CIDR="], "HostConfig": {"NetworkMode": "host"}}',
        '{"Image":  "gone", "Env": ["WEAVE_CIDR="]}',
        '{"Image":  5, "Env": ["WEAVE_CIDR="]}',
        '{"Image":  "", "Env": ["WEAVE_CIDR="]}',
        '{"Image":  "i:1", "Env": 5}',
        '{"Image":  "i:1", "Env": ["WEAVE_CIDR="], "Cmd": {"a": 1}}',
        '{"Image":  "i:1", "Env": ["WEAVE_CIDR="], "Entrypoint": [""]}',
        '{"Image":  "i:1", "Env": ["WEAVE_CIDR="], "HostConfig": {"VolumesFrom": "x"}}',
        '{"Image":  ',
        "[]",
        "",
    ],
)
def test_what_is_none_of_ours_goes_on_byte_for_byte(adapter, body):
    assert body_of(adapter.create(body)) == body


COMMITTED = {"Entrypoint": [GATE], "Cmd": ["p", "a"], "Env": ["WEAVE_CIDR=10.2.1.5/24"]}


@pytest.mark.parametrize(
    "left_alone",
    [
        {"Env": ["WEAVE_CIDR=none"]},
        {"HostConfig": {"NetworkMode": "host"}},
        {"HostConfig": {"NetworkMode": "container:x"}},
    ],
)
def test_left_alone_a_committed_image_runs_without_its_gate(adapter, left_alone):
    image = (200, {"Os": "linux", "Config": COMMITTED})
    adapter.engine.answers["GET /images/i:1/json"] = image
    body = {"Image": "i:1", **left_alone}
    expected = {**body, "Entrypoint": ["p"], "Cmd": ["a"]}
    assert json.loads(body_of(adapter.create(json.dumps(body)))) == expected


def test_a_gate_of_ones_own_without_weave_cidr_is_left_alone(adapter):
    body = json.dumps({"Image": "i:1", "Entrypoint": [GATE], "Cmd": ["p"]})
    assert body_of(adapter.create(body)) == body


def test_a_windows_image_is_left_alone(adapter):
    adapter.engine.answers["GET /images/i:1/json"] = (200, {"Os": "windows", "Config": {}})
    assert body_of(adapter.create(GATED)) == GATED


def test_a_container_of_nothing_but_mounts_is_gated_like_any(adapter):
    body = json.loads(body_of(adapter.create('{"Env": ["WEAVE_CIDR="], "Cmd": ["/mnt/a"]}')))
    assert (body["Entrypoint"], body["Cmd"]) == ([GATE], ["/mnt/a"])
    assert "GET /containers/weavewait/json" in adapter.engine.calls


@pytest.mark.parametrize("odd", ["A:::", ".", "a//b"])
def test_a_name_that_no_image_can_have_is_for_the_engine_to_refuse(adapter, odd):
    """Its answers, as they were measured: a 400, the list of all images, a redirect."""
    adapter.engine.answers["GET /images/A:::/json"] = (400, {"message": "invalid reference"})
    adapter.engine.answers["GET /images/./json"] = (200, [])
    adapter.engine.answers["GET /images/a//b/json"] = (301, None)
    body = json.dumps({"Image": odd, "Env": ["WEAVE_CIDR="]})
    assert body_of(adapter.create(body)) == body


def test_half_a_surrogate_pair_goes_on_as_what_it_is_for_the_engine(adapter):
    body = GATED.replace('"c"', r'"\ud800"')
    assert json.loads(body_of(adapter.create(body)))["Cmd"] == ["ie", "\ufffd"]


def test_a_name_longer_than_an_address_can_be_is_left_for_the_engine_to_refuse(adapter):
    body = json.dumps({"Image": "i" * 70_000, "Env": ["WEAVE_CIDR="]})
    assert adapter.create(body).json()["ModifiedClientRequest"]["Body"] == body


def test_nonsense_in_weave_cidr_is_a_400_with_the_wrong_word(adapter):
    refused = adapter.create('{"Image": "i:1", "Env": ["WEAVE_CIDR=10.2.1.300/24"]}')
    assert refused.status_code == 400
    assert "10.2.1.300/24" in refused.json()["message"]


def test_an_engine_that_cannot_show_the_image_fails_the_create(adapter):
    adapter.engine.answers["GET /images/i:1/json"] = (500, {"message": "disk on fire"})
    refused = adapter.create(GATED)
    assert refused.status_code == 500
    assert refused.json()["message"] == "weavewait: image i:1: disk on fire"


def test_a_volume_container_that_was_pruned_comes_back(adapter):
    del adapter.engine.answers["GET /containers/weavewait/json"]
    adapter.engine.answers["POST /containers/create?name=weavewait"] = (201, {})
    assert GATE in body_of(adapter.create(GATED))
    assert adapter.engine.calls[-1] == "POST /containers/create?name=weavewait"
    assert json.loads(adapter.engine.bodies[-1]) == {"Image": "weavewait:test"}


def test_it_comes_back_also_for_a_container_that_is_made_again_with_its_gate(adapter):
    """Updaters create anew what inspect showed them (portainer#8513)."""
    del adapter.engine.answers["GET /containers/weavewait/json"]
    adapter.engine.answers["POST /containers/create?name=weavewait"] = (201, {})
    gated = body_of(adapter.create(GATED))
    adapter.engine.calls.clear()
    assert body_of(adapter.create(gated)) == gated
    assert adapter.engine.calls[-1] == "POST /containers/create?name=weavewait"


def test_somebody_else_bringing_it_back_is_waited_for(adapter, monkeypatch):
    """The name is taken before the container is there."""
    answers = iter([False, False, True])

    async def is_there(_engine: Engine) -> bool:
        return next(answers)

    monkeypatch.setattr("waitforweave.docker.volume_container.is_there", is_there)
    adapter.engine.answers["POST /containers/create?name=weavewait"] = (409, {"message": "taken"})
    assert GATE in body_of(adapter.create(GATED))
    assert next(answers, None) is None


def test_who_never_brings_it_back_is_not_waited_for_for_ever(adapter, monkeypatch):
    monkeypatch.setattr("waitforweave.docker.volume_container.MAKING_SECONDS", (0.0, 0.0))
    del adapter.engine.answers["GET /containers/weavewait/json"]
    adapter.engine.answers["POST /containers/create?name=weavewait"] = (409, {"message": "taken"})
    assert GATE in body_of(adapter.create(GATED)), "the engine says then that there is none"


def test_an_engine_that_cannot_say_then_is_quoted(adapter, monkeypatch):
    answers: Iterator[bool | EngineError] = iter([False, EngineError(500, "out of memory")])

    async def is_there(_engine: Engine) -> bool:
        answer = next(answers)
        if isinstance(answer, EngineError):
            raise answer
        return answer

    monkeypatch.setattr("waitforweave.docker.volume_container.is_there", is_there)
    adapter.engine.answers["POST /containers/create?name=weavewait"] = (409, {"message": "taken"})
    refused = adapter.create(GATED)
    assert (refused.status_code, refused.json()) == (500, {"message": "weavewait: out of memory"})


def test_without_the_volume_image_the_client_is_told_what_to_do(adapter):
    del adapter.engine.answers["GET /containers/weavewait/json"]
    missing = {"message": "No such image: weavewait:test"}
    adapter.engine.answers["POST /containers/create?name=weavewait"] = (404, missing)
    refused = adapter.create(GATED)
    assert refused.status_code == 500
    assert refused.json()["message"] == (
        "weavewait: the volume container weavewait is gone, and cannot be made again from "
        "weavewait:test: No such image: weavewait:test; build the image (make image)"
    )


def test_an_image_name_stays_one_part_of_the_path(adapter):
    body_of(adapter.create('{"Image": "a b?c#d", "Env": []}'))
    assert adapter.engine.calls == ["GET /images/a%20b%3Fc%23d/json"]


def gated(adapter, **more: object) -> dict[str, Any]:
    body = {"Image": "i:1", "Env": ["WEAVE_CIDR=10.2.1.5/24"], **more}
    answer: dict[str, Any] = json.loads(body_of(adapter.create(json.dumps(body))))
    return answer


def test_labels_become_the_gates_options_and_other_labels_stay(adapter):
    labels = {"weavewait.timeout": "60", "weavewait.interface": "tun0", "a": "b"}
    body = gated(adapter, Labels=labels)
    variables = ["WAIT_FOR_WEAVE_INTERFACE=tun0", "WAIT_FOR_WEAVE_TIMEOUT=60"]
    assert body["Env"] == ["WEAVE_CIDR=10.2.1.5/24", *variables]
    ours = {"weavewait.entrypoint": '["ie"]', "weavewait.cmd": '["ic"]'}
    assert body["Labels"] == {**labels, **ours}


def test_a_variable_of_the_containers_own_is_nearer_than_a_label(adapter):
    own = ["WEAVE_CIDR=", "WAIT_FOR_WEAVE_TIMEOUT=5"]
    assert gated(adapter, Env=own, Labels={"weavewait.timeout": "60"})["Env"] == own


def test_an_images_label_counts_and_the_containers_own_before_it(adapter):
    config = {"Entrypoint": ["ie"], "Labels": {"weavewait.timeout": "7", "weavewait.any": "yes"}}
    adapter.engine.answers["GET /images/i:1/json"] = (200, {"Os": "linux", "Config": config})
    env = gated(adapter, Labels={"weavewait.timeout": "60"})["Env"]
    assert env[1:] == ["WAIT_FOR_WEAVE_ANY=yes", "WAIT_FOR_WEAVE_TIMEOUT=60"]


@pytest.mark.parametrize(
    ("label", "value", "words"),
    [
        ("timeout", "soon", 'label weavewait.timeout: "soon" is no number of seconds; allowed: 30'),
        ("timeuot", "5", 'label "weavewait.timeuot" is unknown; allowed: weavewait.interface, '),
        ("interface", "a/b", 'label weavewait.interface: "a/b" is a name that no interface'),
        ("any", "perhaps", 'label weavewait.any: "perhaps" is wrong; allowed: yes, no'),
        ("help", "yes", 'label "weavewait.help" is unknown'),
    ],
)
def test_a_bad_label_fails_the_create_with_its_word(adapter, label, value, words):
    body = {"Image": "i:1", "Env": ["WEAVE_CIDR="], "Labels": {f"weavewait.{label}": value}}
    refused = adapter.create(json.dumps(body))
    assert refused.status_code == 400
    assert refused.json()["message"].startswith(f"weavewait: {words}")


def test_labels_of_a_container_that_is_not_gated_are_nobodys(adapter):
    body = json.dumps({"Image": "i:1", "Labels": {"weavewait.timeout": "soon"}})
    assert body_of(adapter.create(body)) == body


REMEMBERED = {
    "Entrypoint": [GATE],
    "Cmd": ["ie", "ic"],
    "Labels": {"weavewait.entrypoint": '["ie"]', "weavewait.cmd": '["ic"]'},
}


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ({}, ["ie", "ic"]),
        ({"Cmd": ["new"]}, ["ie", "new"]),
        ({"Entrypoint": ["new"]}, ["new"]),
        ({"Entrypoint": [""], "Cmd": ["new"]}, ["new"]),
    ],
)
@pytest.mark.parametrize("env", [["WEAVE_CIDR="], []])
def test_a_committed_image_runs_as_the_one_that_it_came_from(adapter, body, command, env):
    """With a gate again, or without one: its Entrypoint is remembered (weave#979)."""
    answer = (200, {"Os": "linux", "Config": REMEMBERED})
    adapter.engine.answers["GET /images/i:1/json"] = answer
    changed = parse(body_of(adapter.create(json.dumps({"Image": "i:1", "Env": env, **body}))))
    runs = effective_command(changed, REMEMBERED)
    assert runs == ([GATE, *command] if env else command)


def test_gate_all_gates_what_has_no_weave_cidr_but_not_the_networks_of_others(adapter):
    adapter.options = replace(adapter.options, gate_all=True)
    assert json.loads(body_of(adapter.create('{"Image": "i:1"}')))["Entrypoint"] == [GATE]
    for mode in ("host", "none", "container:x"):
        body = json.dumps({"Image": "i:1", "HostConfig": {"NetworkMode": mode}})
        assert body_of(adapter.create(body)) == body
    none = '{"Image": "i:1", "Env": ["WEAVE_CIDR=none"]}'
    assert body_of(adapter.create(none)) == none


@pytest.mark.parametrize(
    "value",
    [
        "$(reboot)",
        "10.2.1.5/24; reboot",
        "10.2.1.5/24\n10.2.1.6/24",
        "../../etc/passwd",
        "10.2.1.5/24\x00",
        "x" * 1024 * 1024,
        ",".join(["10.2.1.5/24"] * 10_000 + ["x"]),
        " ".join(f"10.{n // 250}.{n % 250}.5/24" for n in range(10_000)),
        "," * 1024 * 1024,
    ],
    ids=["shell", "semicolon", "newline", "path", "nul", "1 MB", "10001st", "10,000", "commas"],
)
def test_hostile_values_of_weave_cidr_are_a_400_of_a_few_words(adapter, value):
    refused = adapter.create(json.dumps({"Image": "i:1", "Env": [f"WEAVE_CIDR={value}"]}))
    assert refused.status_code == 400
    message = refused.json()["message"]
    assert message.startswith("weavewait: WEAVE_CIDR: ")
    assert message.isprintable()
    assert len(message) < 500


def test_the_same_word_ten_thousand_times_is_one(adapter):
    value = ",".join(["10.2.1.5/24"] * 10_000)
    body = body_of(adapter.create(json.dumps({"Image": "i:1", "Env": [f"WEAVE_CIDR={value}"]})))
    assert json.loads(body)["Entrypoint"] == [GATE]
