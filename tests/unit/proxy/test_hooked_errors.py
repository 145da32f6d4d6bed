"""How a chain ends early: an adapter's own error, one that fails, bodies that are too much."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.unit.proxy.conftest import BODY, BOTH, CREATE, CREATED, DONE, START, changed, unchanged
from waitforweave.proxy.hooked import HOOKED_BYTES


def message_of(client) -> tuple[int, str]:
    head, _, body = client.rest().partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["message"]


def failing(call):
    return httpx.Response(
        418, headers={"Content-Type": "application/json"}, content=b'{"message": "I will not"}'
    )


def test_a_pre_hooks_error_is_the_clients_answer_and_nothing_is_created(sides):
    rule = {"POST /*": {"pre": ["a", "b"], "post": ["b"]}}
    sides.start(rule, a=failing, b=unchanged)
    assert message_of(sides.client(CREATE + BODY)) == (418, "I will not")
    assert sides.engine_is_untouched()
    assert sides.kinds() == [("a", "pre-hook")]


def test_a_post_hooks_error_is_the_clients_answer_and_ends_the_chain(sides):
    """powerstrip#78: it went on after a 500."""
    sides.start({"POST /*": {"post": ["a", "b"]}}, a=failing, b=unchanged)
    client = sides.client(START)
    sides.engine().send(DONE)
    assert message_of(client) == (418, "I will not")
    assert sides.kinds() == [("a", "post-hook")]


def unreachable(call):
    raise httpx.ConnectError("[Errno 2] No such file or directory")


def silent(call):
    raise httpx.ReadTimeout("")


ODD_ADAPTERS = {
    "dead": (unreachable, 502, "cannot be reached: No such file or directory"),
    "silent": (silent, 504, "did not answer within 60 s"),
    "no JSON": (lambda call: httpx.Response(200, content=b"hi"), 502, "answered nonsense: JSON"),
    "a redirect": (lambda call: httpx.Response(302), 502, "answered nonsense: status 302"),
    "another endpoint": (
        lambda call: changed(call, Request="/elsewhere"),
        502,
        "answered nonsense: it may not change Request",
    ),
}


@pytest.mark.parametrize(("hook", "code", "said"), ODD_ADAPTERS.values(), ids=list(ODD_ADAPTERS))
def test_an_adapter_that_fails_is_named_and_nothing_is_created(sides, hook, code, said):
    sides.start({"POST /*": {"pre": ["a"]}}, a=hook)
    status, message = message_of(sides.client(CREATE + BODY))
    assert status == code
    assert f"adapter a (http://a/v1/extension) {said}" in message
    assert sides.engine_is_untouched()


def test_a_body_for_adapters_is_bounded(sides):
    sides.start(BOTH, a=unchanged)
    client = sides.client(CREATE.replace(b"%d" % len(BODY), b"%d" % (HOOKED_BYTES + 1)))
    for _ in range(16):
        client.send(b" " * (1 << 20))
    client.send(b" ")
    status, message = message_of(client)
    assert status == 413
    assert str(HOOKED_BYTES) in message
    assert sides.engine_is_untouched()
    assert sides.calls == []


def test_a_body_that_is_no_text_is_refused(sides):
    sides.start(BOTH, a=unchanged)
    client = sides.client(CREATE.replace(b"%d" % len(BODY), b"1") + b"\xff")
    assert message_of(client)[0] == 400
    assert sides.engine_is_untouched()


def test_an_answer_cut_short_is_not_hooked(sides):
    sides.start({"POST /*": {"post": ["a"]}}, a=unchanged)
    client = sides.client(START)
    engine = sides.engine()
    engine.head()
    engine.send(CREATED[:-3])
    engine.close()
    assert message_of(client)[0] == 502
    assert sides.calls == []


def test_an_interim_answer_is_not_the_last_word(sides):
    sides.start({"POST /*": {"post": ["a"]}}, a=failing)
    client = sides.client(START)
    engine = sides.engine()
    engine.send(b"HTTP/1.1 102 Processing\r\n\r\n" + DONE)
    assert client.head() == b"HTTP/1.1 102 Processing\r\n\r\n"
    assert message_of(client) == (418, "I will not")


def test_an_answer_that_is_no_text_is_the_engines_fault(sides):
    sides.start({"POST /*": {"post": ["a"]}}, a=unchanged)
    client = sides.client(START)
    sides.engine().send(CREATED.replace(b'{"Id": 1}', b'{"Id": "\xff'))
    status, message = message_of(client)
    assert status == 502
    assert message.startswith("weavewait proxy: the engine's answer is no UTF-8: 'utf-8' codec ")
    assert sides.kinds() == []


def test_an_adapters_answer_that_is_no_text_is_the_adapters_fault(sides):
    answer = b'{"PowerstripProtocolVersion": 1, "ModifiedClientRequest": {"Method": "\xff'
    sides.start({"POST /*": {"pre": ["a"]}}, a=lambda _: httpx.Response(200, content=answer))
    status, message = message_of(sides.client(START))
    assert status == 502
    assert "answered nonsense: " in message
    assert sides.engine_is_untouched()
