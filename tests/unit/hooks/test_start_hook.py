"""After start and restart: attached before the client hears of it, or told why not."""

from __future__ import annotations

import os
import threading

import pytest

from waitforweave.attach.backend import AttachError, Container
from waitforweave.docker.create import GATE
from waitforweave.hooks import attaching

ID = "c" * 64
KILL = f"POST /containers/{ID}/kill"


def passed_on(response, code: int = 204) -> None:
    assert response.status_code == 200, response.text
    assert response.json() == {
        "PowerstripProtocolVersion": 1,
        "ModifiedServerResponse": {"ContentType": "text/plain", "Body": None, "Code": code},
    }


@pytest.mark.parametrize("verb", ["start", "restart"])
@pytest.mark.parametrize("code", [204, 304])
def test_a_started_container_is_attached(adapter, container, verb, code):
    container("WEAVE_CIDR=10.2.1.5/24")
    passed_on(adapter.start(code=code, verb=verb), code)
    assert adapter.backend.attached == [(Container(ID, os.getpid()), ["10.2.1.5/24"])]


@pytest.mark.parametrize("code", [404, 409, 500])
def test_what_the_engine_did_not_start_is_not_attached(adapter, container, code):
    container("WEAVE_CIDR=")
    passed_on(adapter.start(code=code), code)
    assert adapter.backend.attached == []


@pytest.mark.parametrize("env", [(), ("WEAVE_CIDR=none",), ("WEAVE_CIDR=nonsense",)])
def test_what_is_not_gated_is_not_attached(adapter, container, env):
    container(*env)
    passed_on(adapter.start())
    assert adapter.backend.attached == []


def test_one_that_was_gated_without_weave_cidr_gets_an_address(adapter, container):
    """By --gate-all, of this server or of the one before it."""
    value = container()
    passed_on(adapter.start())
    assert adapter.backend.attached == []
    value["Path"] = GATE
    value["Config"]["Labels"] = {"weavewait.entrypoint": "[]", "weavewait.cmd": '["c"]'}
    passed_on(adapter.start())
    assert adapter.backend.attached == [(Container(ID, os.getpid()), ["net:default"])]


def test_a_container_that_has_ended_or_is_gone_is_no_failure(adapter, container):
    passed_on(adapter.start("gone"))
    container("WEAVE_CIDR=", running=False)
    passed_on(adapter.start())
    assert adapter.backend.attached == []


def test_a_container_between_two_runs_has_ended_too(adapter, container):
    """Its restart policy is about to start it again: Running, for the engine, but no process."""
    value = container("WEAVE_CIDR=", policy="always")
    value["State"] = {"Running": True, "Restarting": True, "Pid": 0}
    passed_on(adapter.start())
    assert adapter.backend.attached == []


def test_a_failed_attach_is_told_and_the_container_killed(adapter, container):
    container("WEAVE_CIDR=")
    adapter.backend.error = AttachError("no address is free")
    refused = adapter.start()
    assert refused.status_code == 500
    assert refused.json()["message"] == (
        "weavewait: container a (cccccccccccc) was killed: no address is free"
    )
    assert adapter.engine.calls[-1] == KILL


@pytest.mark.parametrize("policy", ["always", "unless-stopped", "on-failure"])
def test_a_container_under_a_restart_policy_is_not_killed(adapter, container, policy):
    container("WEAVE_CIDR=", policy=policy)
    adapter.backend.error = AttachError("no address is free")
    refused = adapter.start()
    assert f"left to its restart policy {policy}: no address" in refused.json()["message"]
    assert KILL not in adapter.engine.calls


@pytest.mark.parametrize(
    "state",
    [{"Running": False, "Pid": 0}, {"Running": True, "Pid": 0}, {"Running": True, "Pid": 5}],
)
def test_a_run_that_ended_during_the_attach_is_no_failure(adapter, container, state):
    value = container("WEAVE_CIDR=")

    def attach(target, wanted):
        value["State"] = state
        raise AttachError("no such process")

    adapter.backend.attach = attach
    passed_on(adapter.start())
    assert KILL not in adapter.engine.calls


def test_who_is_refused_an_address_is_told_its_holders_name(adapter, container):
    container("WEAVE_CIDR=10.2.1.5/24")
    holder = {"Name": "/db", "State": {"Pid": 1}}
    adapter.engine.answers[f"GET /containers/{'d' * 12}/json"] = (200, holder)
    adapter.backend.error = AttachError(f"10.2.1.5/24 already in use by {'d' * 12}")
    message = adapter.start().json()["message"]
    assert message.endswith(f"10.2.1.5/24 already in use by db ({'d' * 12})")


def test_an_attach_that_hangs_is_given_up(adapter, container, monkeypatch):
    container("WEAVE_CIDR=")
    monkeypatch.setattr(attaching, "ATTACH_SECONDS", 0.05)
    adapter.backend.hold = threading.Event()
    refused = adapter.start()
    adapter.backend.hold.set()
    assert refused.status_code == 500
    assert "not attached after" in refused.json()["message"]


def test_attaches_do_not_wait_for_each_other(adapter, container):
    """The first is held until the second is through."""
    container("WEAVE_CIDR=")
    container("WEAVE_CIDR=", name="b")
    first_waits, order = threading.Event(), []

    def attach(target, wanted):
        order.append("begun")
        if len(order) == 1:
            assert first_waits.wait(10)
        else:
            first_waits.set()
        order.append("done")
        return ()

    adapter.backend.attach = attach
    first, second = adapter.together(adapter.start_message("a"), adapter.start_message("b"))
    passed_on(first)
    passed_on(second)
    assert order == ["begun", "begun", "done", "done"]


def test_two_who_start_the_same_run_share_one_attach(adapter, container):
    """A client's call and the engine's event for it, say."""
    container("WEAVE_CIDR=")
    adapter.backend.hold = threading.Event()
    threading.Timer(0.2, adapter.backend.hold.set).start()
    for response in adapter.together(*[adapter.start_message()] * 2):
        passed_on(response)
    assert len(adapter.backend.attached) == 1


def test_a_fault_of_our_own_is_told_in_dockers_form(adapter, container):
    container("WEAVE_CIDR=")

    def attach(target, wanted):
        raise ZeroDivisionError

    adapter.backend.attach = attach
    refused = adapter.start()
    assert refused.status_code == 500
    assert refused.json()["message"].startswith("weavewait: internal error: ZeroDivisionError")
