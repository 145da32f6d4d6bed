"""What a first launch that fails takes away again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from waitforweave.docker.engine import Engine, EngineError
from waitforweave.launch import steps
from waitforweave.launch.settings import LaunchError, Settings

ONE = Settings("unix:///a.sock", ("unix:///b/c.sock",), "bridge", "10.32.0.0/12", "weavewait:1")
Answer = tuple[int, dict[str, Any]]


def launch(answer: Callable[[str, str], Answer], message: str) -> list[str]:
    """A launch as containers on an engine that answers so, which fails with this message; the
    DELETEs that it was asked for."""
    deleted: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/_ping":
            return httpx.Response(200, headers={"Api-Version": "1.41"})
        path = request.url.path.removeprefix("/v1.41")
        if request.method == "DELETE":
            deleted.append(path)
        status, body = answer(request.method, path)
        return httpx.Response(status, json=body)

    async def run() -> None:
        async with Engine(ONE.engine, httpx.MockTransport(handle)) as engine:
            await steps.launch(engine, ONE, lambda _: None, host_process=False)

    with pytest.raises((EngineError, LaunchError), match=message):
        asyncio.run(run())
    return deleted


def refusing(status: int) -> Callable[[str, str], Answer]:
    """The image is there and nothing else; create is refused."""

    def answer(method: str, path: str) -> Answer:
        if path == "/images/weavewait:1/json":
            return 200, {"Id": "sha256:1"}
        if path == "/volumes":
            return 200, {"Volumes": None}
        if method == "POST" and path == "/containers/create":
            return status, {"message": "no"}
        return 404, {"message": "not there"}

    return answer


def test_all_that_it_may_have_made():
    assert launch(refusing(500), "^no$") == [
        "/containers/weavewait-proxy",
        "/containers/weavewait-hooks",
        "/volumes/weavewait-run",
        "/volumes/weavewait-state",
        "/containers/weavewait",
    ]


def test_nothing_where_another_launch_is_faster():
    assert launch(refusing(409), r"^another launch is under way on this engine \(no\)") == []
