"""Calls with adapters around them: what these see, what they may change, and how a chain ends."""

from __future__ import annotations

import select
from typing import Any

import pytest

from tests.unit.proxy.conftest import BODY, BOTH, CREATE, CREATED, DONE, START, changed, unchanged


def chunked(body: bytes, size: int = 7) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)] + [b""]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


@pytest.mark.parametrize(("request_", "response"), [(CREATE + BODY, CREATED), (START, DONE)])
def test_what_adapters_leave_alone_is_forwarded_byte_for_byte(sides, request_, response):
    sides.start(BOTH, a=unchanged)
    assert sides.exchange(request_, response) == (request_, response)
    assert sides.kinds() == [("a", "pre-hook"), ("a", "post-hook")]


def test_what_adapters_see(sides):
    sides.start(BOTH, a=unchanged)
    sides.exchange(CREATE + BODY, CREATED)
    request = {
        "Method": "POST",
        "Request": "/v1.41/containers/create?name=n",
        "Body": BODY.decode(),
    }
    response = {"ContentType": "application/json", "Body": '{"Id": 1}', "Code": 201}
    before, after = sides.calls
    assert before["ClientRequest"] == after["ClientRequest"] == request
    assert "ServerResponse" not in before
    assert after["ServerResponse"] == response


def test_no_body_is_null(sides):
    sides.start(BOTH, a=unchanged)
    sides.exchange(START, DONE)
    before, after = sides.calls
    assert before["ClientRequest"]["Body"] is None
    assert after["ServerResponse"] == {"ContentType": None, "Body": None, "Code": 204}


def test_chunks_are_put_together_for_adapters_and_left_as_they_are_for_the_engine(sides):
    sides.start(BOTH, a=unchanged)
    framing = b"Content-Length: %d" % len(BODY)
    request = CREATE.replace(framing, b"Transfer-Encoding: chunked") + chunked(BODY)
    response = CREATED.partition(b"Content-Length")[0] + (
        b'Transfer-Encoding: chunked\r\n\r\n4;x=y\r\n{"Id\r\n5\r\n": 1}\r\n0\r\nT: 1\r\n\r\n'
    )
    assert sides.exchange(request, response) == (request, response)
    assert sides.calls[0]["ClientRequest"]["Body"] == BODY.decode()
    assert sides.calls[1]["ServerResponse"]["Body"] == '{"Id": 1}'


@pytest.mark.parametrize(
    "framing", [b"Content-Length: %d" % len(BODY), b"Transfer-Encoding: chunked"]
)
def test_a_changed_body_has_its_own_length_where_the_old_framing_stood(sides, framing):
    sides.start({"POST /*": {"pre": ["a"]}}, a=lambda call: changed(call, Body='{"Image":"ü"}'))
    sent = chunked(BODY) if b"chunked" in framing else BODY
    client = sides.client(CREATE.replace(b"Content-Length: %d" % len(BODY), framing) + sent)
    got = sides.engine().until(b"}")
    new = '{"Image":"ü"}'.encode()
    assert got == CREATE.replace(b"%d" % len(BODY), b"%d" % len(new)) + new
    client.close()


def test_the_query_may_change_and_the_body_stays_as_it_is(sides):
    target = "/v1.41/containers/create?name=other&x=%20"
    sides.start({"POST /*": {"pre": ["a"]}}, a=lambda call: changed(call, Request=target))
    sides.client(CREATE + BODY)
    want = CREATE.replace(b"name=n", b"name=other&x=%20") + BODY
    assert sides.engine().exactly(len(want)) == want


def test_each_adapter_gets_what_the_one_before_it_gave(sides):
    def add(call):
        if call["Type"] == "pre-hook":
            return changed(call, Body=call["ClientRequest"]["Body"] + "+")
        return changed(call, Body=call["ServerResponse"]["Body"] + "-")

    rules = {"POST /*/create": {"pre": ["a", "b"]}, "POST /*": {"pre": ["b"], "post": ["b", "a"]}}
    sides.start(rules, a=add, b=add)
    client = sides.client(CREATE + BODY)
    engine = sides.engine()
    assert engine.until(b"+++").endswith(BODY + b"+++")
    engine.send(CREATED)
    assert client.until(b"--").endswith(b'Content-Length: 11\r\nServer: S\r\n\r\n{"Id": 1}--')
    order = [(call["adapter"], call["Type"]) for call in sides.calls]
    pre, post = "pre-hook", "post-hook"
    assert order == [("a", pre), ("b", pre), ("b", pre), ("b", post), ("a", post)]
    # The post-hooks know the request that the engine got.
    assert sides.calls[-1]["ClientRequest"]["Body"] == BODY.decode() + "+++"


def test_a_post_hook_may_change_code_type_and_body(sides):
    def deny(call):
        return changed(call, Code=409, ContentType="text/plain", Body="no")

    sides.start({"POST /*": {"post": ["a"]}}, a=deny)
    client = sides.client(CREATE + BODY)
    engine = sides.engine()
    engine.send(CREATED)
    assert client.until(b"no") == (
        b"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\nServer: S\r\n"
        b"Content-Type: text/plain\r\n\r\nno"
    )


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"Code": 204}, b"HTTP/1.1 204 No Content\r\nServer: S\r\n\r\n"),
        ({"Code": 599, "Body": ""}, b"HTTP/1.1 599 \r\nContent-Length: 0\r\nServer: S\r\n\r\n"),
    ],
)
def test_a_post_hook_may_take_the_body_away(sides, changes, answer):
    created = CREATED.replace(b"Content-Type: application/json\r\n", b"", 1).replace(b"9", b"0")
    created = created.partition(b'{"Id"')[0]
    sides.start({"POST /*": {"post": ["a"]}}, a=lambda call: changed(call, **changes))
    client = sides.client(START)
    engine = sides.engine()
    engine.head()
    engine.send(created)
    assert client.exactly(len(answer)) == answer
    client.send(START)
    assert engine.head() == START


def test_a_post_hook_may_give_a_body_to_an_answer_without_one(sides):
    sides.start({"POST /*": {"post": ["a"]}}, a=lambda call: changed(call, Code=200, Body="x"))
    client = sides.client(START)
    engine = sides.engine()
    engine.send(DONE)
    want = b"HTTP/1.1 200 OK\r\nServer: S\r\nContent-Length: 1\r\n\r\nx"
    assert client.exactly(len(want)) == want


def test_the_engines_errors_run_the_post_hooks_too(sides):
    error = CREATED.replace(b"201 Created", b"404 Not Found")
    sides.start({"POST /*": {"post": ["a"]}}, a=unchanged)
    assert sides.exchange(CREATE + BODY, error)[1] == error
    assert sides.calls[0]["ServerResponse"]["Code"] == 404


def test_the_client_has_its_answer_only_after_the_post_hook(sides):
    """An attached container is an attached container when `docker start` returns."""
    seen: list[dict[str, Any]] = []

    def look(call):
        # Not by the socket's own mode: the client waits at it in another thread.
        assert not select.select([client.sock], [], [], 0)[0]
        seen.append(call)
        return unchanged(call)

    sides.start({"POST /*": {"post": ["a"]}}, a=look)
    client = sides.client(START)
    sides.engine().send(DONE)
    assert client.head() == DONE
    assert len(seen) == 1


def test_a_client_that_expects_100_continue_is_told_to(sides):
    sides.start(BOTH, a=unchanged)
    client = sides.client(CREATE.replace(b"X: y", b"Expect: 100-continue\r\nX: y"))
    assert client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(BODY)
    engine = sides.engine()
    # The engine need not say it again.
    assert engine.exactly(len(CREATE + BODY)) == CREATE + BODY
    engine.send(CREATED)
    assert client.exactly(len(CREATED)) == CREATED


def test_head_has_its_hooks_and_no_body(sides):
    sides.start(BOTH, a=unchanged)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
    request = b"HEAD /v1.41/info HTTP/1.1\r\nHost: d\r\n\r\n"
    assert sides.exchange(request, head) == (request, head)
    assert sides.kinds() == [("a", "pre-hook"), ("a", "post-hook")]


def test_hooked_calls_of_one_client_follow_each_other(sides):
    sides.start(BOTH, a=unchanged)
    client = sides.client((CREATE + BODY) * 2)
    engine = sides.engine()
    for _ in range(2):
        assert engine.exactly(len(CREATE + BODY)) == CREATE + BODY
        engine.send(CREATED)
        assert client.exactly(len(CREATED)) == CREATED
    assert sides.engine_is_untouched()


def test_an_answer_that_ends_with_its_connection_ends_the_clients_too(sides):
    sides.start(BOTH, a=unchanged)
    answer = CREATED.replace(b"Content-Length: 9\r\n", b"")
    client = sides.client(CREATE + BODY)
    engine = sides.engine()
    engine.exactly(len(CREATE + BODY))
    engine.send(answer)
    engine.close()
    assert client.rest() == answer
    assert sides.kinds() == [("a", "pre-hook"), ("a", "post-hook")]


@pytest.mark.parametrize("more", [b"", b"&b=c"])
def test_adapters_see_letters_beyond_ascii_as_they_should_have_been_sent(sides, more):
    """curl sends a target as it was typed; Go's net/url reads both alike."""

    def hook(call):
        return changed(call, Request=call["ClientRequest"]["Request"] + more.decode())

    sides.start({"POST /*/\xe4": {"pre": ["a"]}}, a=hook)
    call = b"POST /v1.41/%s?a=%%20%s%s HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n"
    sides.client(call % (b"\xc3\xa4", b"\xff", b""))
    written = (b"%C3%A4", b"%FF", more) if more else (b"\xc3\xa4", b"\xff", b"")
    assert sides.engine().head() == call % written
    assert sides.calls[0]["ClientRequest"]["Request"] == "/v1.41/%C3%A4?a=%20%FF"
