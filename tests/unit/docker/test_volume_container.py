"""How the volume container is made: docker fills its volume at once, podman has to be asked to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import httpx
import pytest

from waitforweave.docker import volume_container
from waitforweave.docker.engine import Engine, EngineError

Result = TypeVar("Result")
DOCKER = {"Server": "Docker/28.5.2"}
# As podman 5.8 writes it.
PODMAN = {"Libpod-API-Version": "5.8.6"}
CREATE = "POST /containers/create?name=weavewait"
INSPECT = "GET /containers/weavewait/json"
FILL = ["POST /containers/weavewait/start", "POST /containers/weavewait/wait"]


@dataclass
class Asked:
    """An engine with these headers; what it was asked. `state` is the container's, if there."""

    headers: dict[str, str]
    status: int = 201
    state: str | None = None
    calls: list[str] = field(default_factory=list)

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/_ping":
            return httpx.Response(200, headers={"Api-Version": "1.44", **self.headers})
        call = f"{request.method} {request.url.raw_path.decode().removeprefix('/v1.44')}"
        self.calls.append(call)
        if call == CREATE:
            assert json.loads(request.content) == {"Image": "w:1"}
            return httpx.Response(self.status, json={"message": "no"}, headers=self.headers)
        if call == INSPECT:
            found = {"State": {"Status": self.state}}
            return httpx.Response(200 if self.state else 404, json=found, headers=self.headers)
        said = httpx.ByteStream(b'{"StatusCode": 0}')
        return httpx.Response(200, stream=said, headers=self.headers)

    def run(self, work: Callable[[Engine], Awaitable[Result]]) -> Result:
        async def main() -> Result:
            async with Engine("unix:///a.sock", httpx.MockTransport(self.handle)) as engine:
                return await work(engine)

        return asyncio.run(main())

    def make(self) -> list[str]:
        self.run(lambda engine: volume_container.make(engine, {"Image": "w:1"}))
        return self.calls

    def is_there(self) -> bool:
        return self.run(volume_container.is_there)


def test_docker_has_filled_it():
    assert Asked(DOCKER).make() == [CREATE]


def test_podman_fills_it_when_it_is_started_and_that_has_an_end():
    assert Asked(PODMAN).make() == [CREATE, *FILL]


def test_a_refusal_is_the_engines_own():
    with pytest.raises(EngineError, match="no"):
        Asked(PODMAN, 409).make()


def test_one_that_is_not_there():
    asked = Asked(PODMAN)
    assert not asked.is_there()
    assert asked.calls == [INSPECT]


@pytest.mark.parametrize("state", ["created", "configured", "initialized"])
def test_podmans_that_was_made_and_never_started_is_filled_first(state):
    """Whoever made it is about to, or was killed: a container that starts first fills it with
    nothing."""
    asked = Asked(PODMAN, state=state)
    assert asked.is_there()
    assert asked.calls == [INSPECT, *FILL]


@pytest.mark.parametrize(
    ("headers", "state"), [(PODMAN, "exited"), (PODMAN, "running"), (DOCKER, "created")]
)
def test_one_that_is_filled_costs_one_question(headers, state):
    asked = Asked(headers, state=state)
    assert asked.is_there()
    assert asked.calls == [INSPECT]


def test_an_engine_that_cannot_say_is_heard():
    def broken(_: httpx.Request) -> httpx.Response:
        return httpx.Response(500, json={"message": "disk on fire"})

    async def main() -> bool:
        async with Engine("unix:///a.sock", httpx.MockTransport(broken)) as engine:
            return await volume_container.is_there(engine)

    with pytest.raises(EngineError, match="disk on fire"):
        asyncio.run(main())
