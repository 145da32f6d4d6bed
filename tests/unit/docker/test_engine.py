"""What the engine's answers become: values, or an error that names who said what."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from waitforweave.docker.engine import Engine, EngineError


def error_of(answer: httpx.Response) -> EngineError:
    """What a call ends with where the first answer is this one."""

    async def call() -> None:
        async with Engine("tcp://e:1", httpx.MockTransport(lambda _: answer)) as engine:
            await engine.request("GET", "/version")

    with pytest.raises(EngineError) as error:
        asyncio.run(call())
    return error.value


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (
            httpx.Response(400, text="Client sent an HTTP request to an HTTPS server.\n"),
            400,
            "tcp://e:1 answers, but not as a Docker Engine: "
            "Client sent an HTTP request to an HTTPS server.",
        ),
        (
            httpx.Response(404, json={"detail": "?"}),
            404,
            'tcp://e:1 answers, but not as a Docker Engine: {"detail":"?"}',
        ),
        (httpx.Response(200), 0, "tcp://e:1 answers, but is no Docker Engine"),
    ],
)
def test_who_is_no_engine_is_named(answer, status, said):
    error = error_of(answer)
    assert (error.status, str(error)) == (status, said)


def test_a_name_that_nothing_can_have_is_named():
    """Of a variable that is not set: the engine's router answers with a list of all then."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/_ping":
            return httpx.Response(200, headers={"Api-Version": "1.41"})
        return httpx.Response(200, json=[])

    async def call() -> None:
        async with Engine("tcp://e:1", httpx.MockTransport(answer)) as engine:
            await engine.inspect_container("")

    with pytest.raises(EngineError, match=r'^nothing can have the name ""$'):
        asyncio.run(call())
