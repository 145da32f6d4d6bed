"""How the volume container is made: docker fills its volume at once, podman has to be asked to."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from waitforweave.docker import volume_container
from waitforweave.docker.engine import Engine, EngineError


def made(headers: dict[str, str], status: int = 201) -> list[str]:
    """What an engine is asked that answers with these headers."""
    calls: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/_ping":
            return httpx.Response(200, headers={"Api-Version": "1.44", **headers})
        path = request.url.raw_path.decode().removeprefix("/v1.44")
        calls.append(f"{request.method} {path}")
        if "create" not in path:
            said = httpx.ByteStream(b'{"StatusCode": 0}')
            return httpx.Response(200, stream=said, headers=headers)
        assert json.loads(request.content) == {"Image": "w:1"}
        return httpx.Response(status, json={"message": "no"}, headers=headers)

    async def run() -> None:
        async with Engine("unix:///a.sock", httpx.MockTransport(handle)) as engine:
            await volume_container.make(engine, {"Image": "w:1"})

    asyncio.run(run())
    return calls


def test_docker_has_filled_it():
    assert made({"Server": "Docker/28.5.2"}) == ["POST /containers/create?name=weavewait"]


def test_podman_fills_it_when_it_is_started_and_that_has_an_end():
    # As podman 5.8 writes it.
    assert made({"Libpod-API-Version": "5.8.6"}) == [
        "POST /containers/create?name=weavewait",
        "POST /containers/weavewait/start",
        "POST /containers/weavewait/wait",
    ]


def test_a_refusal_is_the_engines_own():
    with pytest.raises(EngineError, match="no"):
        made({"Libpod-API-Version": "5.8.6"}, 409)
