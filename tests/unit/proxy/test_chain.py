"""Chains of adapters, without a socket: order, ends, and what the client is told of a bad one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence

import httpx
import pytest

from waitforweave.proxy import chain
from waitforweave.proxy.adapters import Adapter
from waitforweave.proxy.chain import Adapters
from waitforweave.proxy.protocol import ClientRequest, ServerResponse
from waitforweave.proxy.refusal import Refusal

A, B, C = (Adapter(name, f"http://{name}/hook", f"http://{name}/hook") for name in "abc")
SENT = ClientRequest("POST", "/containers/create", "body")
ANSWER = ServerResponse("application/json", "answer", 201)
CALL = {"Method": "POST", "Request": "/containers/create", "Body": "body"}
Handler = Callable[[httpx.Request], httpx.Response]


def signing(request: httpx.Request) -> httpx.Response:
    """An adapter that adds its name to the body."""
    message = json.loads(request.content)
    if message["Type"] == "pre-hook":
        name, content = "ModifiedClientRequest", message["ClientRequest"]
    else:
        name, content = "ModifiedServerResponse", message["ServerResponse"]
    content["Body"] += f" {request.url.host}"
    return httpx.Response(200, json={"PowerstripProtocolVersion": 1, name: content})


def before(adapters: Sequence[Adapter], handler: Handler, asked: list[str]) -> ClientRequest:
    """The outcome of the pre-hooks; `asked` gets the names of those that were called."""

    async def run() -> ClientRequest:
        async with Adapters(lambda _: httpx.MockTransport(noting)) as hooks:
            return await hooks.before(adapters, SENT)

    def noting(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return handler(request)

    return asyncio.run(run())


def refused_by(handler: Handler) -> tuple[Refusal, list[str]]:
    asked: list[str] = []
    with pytest.raises(Refusal) as refused:
        before([A, B], handler, asked)
    return refused.value, asked


def told(refused: Refusal) -> str:
    assert refused.content_type == "application/json"
    return str(json.loads(refused.body)["message"])


def test_no_adapters_no_change():
    assert before([], signing, []) == SENT


def test_each_gets_what_the_one_before_gave():
    asked: list[str] = []
    assert before([A, C, B, A], signing, asked).Body == "body a c b a"
    assert asked == ["a", "c", "b", "a"]


def test_so_do_post_hooks_which_see_the_request_that_the_engine_saw():
    seen: list[object] = []

    def noting(request: httpx.Request) -> httpx.Response:
        seen.append(json.loads(request.content)["ClientRequest"]["Body"])
        return signing(request)

    async def run() -> ServerResponse:
        async with Adapters(lambda _: httpx.MockTransport(noting)) as hooks:
            return await hooks.after([A, B], SENT, ANSWER)

    assert asyncio.run(run()) == ServerResponse("application/json", "answer a b", 201)
    assert seen == ["body", "body"]


@pytest.mark.parametrize("status", [400, 401, 404, 409, 500, 503])
def test_an_error_goes_to_the_client_verbatim_and_nobody_after_it_is_asked(status):
    refused, asked = refused_by(lambda _: httpx.Response(status, text="no, because"))
    assert (refused.code, refused.body) == (status, b"no, because")
    assert refused.content_type == "text/plain; charset=utf-8"
    assert asked == ["a"]


def test_an_error_without_a_type_is_text():
    refused, _ = refused_by(lambda _: httpx.Response(500, content=b""))
    assert (refused.content_type, refused.body) == ("text/plain", b"")


@pytest.mark.parametrize("status", [201, 204, 302])
def test_any_other_status_is_nonsense(status):
    refused, asked = refused_by(lambda _: httpx.Response(status, headers={"Location": "/"}))
    assert refused.code == 502
    message = f"adapter a (http://a/hook) answered nonsense: status {status}"
    assert told(refused).startswith(f"weavewait proxy: {message}")
    assert asked == ["a"]


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"\xff", b"{}", b'{"ModifiedClientRequest": 1}']
)
def test_nonsense_names_the_adapter(content):
    refused, asked = refused_by(lambda _: httpx.Response(200, content=content))
    assert refused.code == 502
    assert "adapter a (http://a/hook) answered nonsense: " in told(refused)
    assert asked == ["a"]


def test_an_answer_without_end_is_not_held_in_memory(monkeypatch):
    monkeypatch.setattr(chain, "ANSWER_BYTES", 1000)
    sent = 0

    async def blanks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 100
            yield b" " * 100
        yield json.dumps({"PowerstripProtocolVersion": 1, "ModifiedClientRequest": CALL}).encode()

    refused, asked = refused_by(lambda _: httpx.Response(200, content=blanks()))
    assert refused.code == 502
    assert told(refused).endswith("answered nonsense: more than 1000 bytes")
    assert asked == ["a"]
    assert sent == 1100


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.ConnectError("no route"), "no route"),
        (httpx.ReadError(""), "ReadError"),
        (httpx.RemoteProtocolError("half an answer"), "half an answer"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
    ],
)
def test_an_adapter_that_cannot_be_reached_is_named_with_the_reason(error, reason):
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    refused, asked = refused_by(fail)
    assert refused.code == 502
    message = f"adapter a (http://a/hook) cannot be reached: {reason}"
    assert told(refused) == f"weavewait proxy: {message}"
    assert asked == ["a"]


def test_one_that_never_answers_is_given_up_and_named(monkeypatch):
    # Nothing is waited for here: the time is up before the adapter is asked for its answer.
    monkeypatch.setattr(chain, "ADAPTER_SECONDS", 0.0)

    async def never(_: httpx.Request) -> httpx.Response:
        return await asyncio.Future()

    async def run() -> None:
        async with Adapters(lambda _: httpx.MockTransport(never)) as hooks:
            await hooks.before([A, B], SENT)

    with pytest.raises(Refusal) as refused:
        asyncio.run(run())
    assert refused.value.code == 504
    message = "adapter a (http://a/hook) did not answer within 0 s"
    assert told(refused.value) == f"weavewait proxy: {message}"


def test_the_environments_proxy_is_not_for_adapters(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert before([A], signing, []).Body == "body a"


def test_whom_the_url_names_is_told_to_the_adapter():
    named = Adapter("a", "http://us:secret@a/hook", "http://us:secret@a/hook")
    asked: list[str] = []

    def noting(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["Authorization"])
        return signing(request)

    before([named], noting, [])
    assert asked == ["Basic dXM6c2VjcmV0"]
