"""Powerstrip's messages: what is none is a 400 that says where."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waitforweave.docker.engine import Engine
from waitforweave.hooks import app
from waitforweave.hooks.attaching import Attacher
from waitforweave.hooks.options import Options
from waitforweave.hooks.protocol import HookError, decode
from waitforweave.hooks.watcher import Watcher

GOOD = {
    "PowerstripProtocolVersion": 1,
    "Type": "pre-hook",
    "ClientRequest": {"Method": "POST", "Request": "/x", "Body": None},
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"PowerstripProtocolVersion": 2}, "PowerstripProtocolVersion is 2; allowed: 1"),
        ({"Type": "mid-hook"}, "$.Type"),
        ({"ClientRequest": {"Method": "POST"}}, "$.ClientRequest"),
        ({"ClientRequest": {"Method": "POST", "Request": 5}}, "$.ClientRequest.Request"),
        ({"Type": "post-hook"}, "without ServerResponse"),
    ],
)
def test_what_is_wrong_is_named(adapter, change, words):
    refused = adapter.post(json.dumps({**GOOD, **change}).encode())
    assert refused.status_code == 400
    assert words in refused.json()["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"[" * 100_000])
def test_what_is_no_message_is_refused(adapter, body):
    assert adapter.post(body).status_code == 400


def test_a_call_that_is_none_of_ours_goes_on(adapter):
    answer = adapter.post(json.dumps(GOOD).encode())
    assert answer.json()["ModifiedClientRequest"] == GOOD["ClientRequest"]
    assert adapter.engine.calls == []


@settings(deadline=None)
@given(st.binary())
def test_no_bytes_raise_anything_else(body):
    with pytest.raises(HookError):
        decode(body)


def test_a_body_without_end_is_a_413(adapter, monkeypatch):
    monkeypatch.setattr(app, "BODY_BYTES", 100)
    refused = adapter.post(b" " * 101)
    assert refused.status_code == 413
    assert "at most 100 bytes" in refused.json()["message"]


def test_a_caller_that_goes_away_within_its_body_is_no_fault(adapter):
    """No exception comes out of the application, which uvicorn would log as ours."""
    sent = []
    scope = {"type": "http", "method": "POST", "path": "/v1/extension", "headers": []}

    async def receive():
        return {"type": "http.disconnect"}

    async def send(event):
        sent.append(event)

    attacher = Attacher(Engine("unix:///none"), adapter.backend)
    application = app.make_app(Watcher(attacher), Options("weavewait:test"))
    asyncio.run(application(scope, receive, send))
    assert sent[0]["status"] == 400
    assert adapter.engine.calls == []
