"""Powerstrip's messages: what is none is a 400 that says where."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waitforweave.hooks.protocol import HookError, decode

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
