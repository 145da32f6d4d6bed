"""Before exec, where it is asked for: the gate goes before the command, if the container has it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.unit.hooks.conftest import message
from waitforweave.docker.create import GATE
from waitforweave.hooks import exec_hook
from waitforweave.hooks.process import Process

BODY = '{"Cmd":  ["sh", "-c", "x"], "Tty": true}'


@pytest.fixture
def waiting(adapter, container, monkeypatch):
    """A container whose process is the gate still, and a server that holds exec back."""
    adapter.options = replace(adapter.options, hold_exec=True)
    monkeypatch.setattr(exec_hook, "process_of", lambda pid: Process.GATE)
    value = container("WEAVE_CIDR=")
    value["Path"], value["Mounts"] = GATE, [{"Destination": "/home/weavewait"}]
    return value


def execed(adapter, body: str | None = BODY, path: str = "/v1.41/containers/a/exec") -> str | None:
    request = {"Method": "POST", "Request": path, "Body": body}
    response = adapter.post(message("pre-hook", request))
    assert response.status_code == 200, response.text
    found: str | None = response.json()["ModifiedClientRequest"]["Body"]
    return found


def test_an_exec_waits_as_its_container_does(adapter, waiting):
    assert json.loads(execed(adapter) or "") == {"Cmd": [GATE, "sh", "-c", "x"], "Tty": True}


def test_a_command_that_begins_with_a_dash_is_no_option(adapter, waiting):
    assert json.loads(execed(adapter, '{"Cmd": "-x"}') or "")["Cmd"] == [GATE, "--", "-x"]


def test_it_is_off_by_default(adapter, waiting):
    adapter.options = replace(adapter.options, hold_exec=False)
    assert execed(adapter) == BODY


@pytest.mark.parametrize(
    "change", [{"Path": "sh"}, {"Mounts": []}, {"Mounts": None}, {"State": {"Pid": 0}}]
)
def test_a_container_without_a_gate_is_left_alone(adapter, waiting, change):
    """weave#1143: the gate's program may not be there."""
    waiting.update(change)
    assert execed(adapter) == BODY


def test_a_container_that_is_ready_is_left_alone(adapter, waiting, monkeypatch):
    monkeypatch.setattr(exec_hook, "process_of", lambda pid: Process.COMMAND)
    assert execed(adapter) == BODY


@pytest.mark.parametrize("body", [None, "", "{", "[]", '{"Cmd": []}', '{"Cmd": 5}'])
def test_what_the_engine_refuses_is_the_engines_to_refuse(adapter, waiting, body):
    assert execed(adapter, body) == body


def test_a_container_that_is_not_there_is_the_engines_to_refuse(adapter, waiting):
    assert execed(adapter, path="/containers/gone/exec") == BODY


def test_an_engine_that_cannot_say_fails_the_exec(adapter, waiting):
    adapter.engine.answers["GET /containers/a/json"] = (500, {"message": "on fire"})
    request = {"Method": "POST", "Request": "/containers/a/exec", "Body": BODY}
    refused = adapter.post(message("pre-hook", request))
    assert (refused.status_code, refused.json()["message"]) == (500, "weavewait: on fire")
