"""Which containers and images begin with our gate, by what the engine says of them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx

from waitforweave.docker.create import GATE
from waitforweave.docker.engine import Engine
from waitforweave.docker.original import ENTRYPOINT_LABEL
from waitforweave.launch.gated import Gated, gated

LISTED = [
    {"Id": "1", "Names": ["/web"], "State": "running"},
    {"Id": "2", "Names": ["/paused"], "State": "paused"},
    {"Id": "3", "Names": ["/job"], "State": "exited"},
    {"Id": "4", "Names": ["/plain"], "State": "running"},
    {"Id": "5", "Names": ["/gone"], "State": "running"},
    {"Id": "9876543210abcdef", "Names": None, "State": "removing"},
]
IMAGES = [
    {"Id": "6", "RepoTags": ["my-app:latest"]},
    {"Id": "7", "RepoTags": None},
    {"Id": "8", "RepoTags": ["made-from-it:latest"]},
]
BEGIN = {**{key: [GATE] for key in "12367"}, "4": None, "8": ["/other"], "9876543210abcdef": [GATE]}


def answer(request: httpx.Request) -> httpx.Response:
    path = request.url.path.removeprefix("/v1.41")
    given: dict[str, Any] = {"/containers/json": LISTED, "/images/json": IMAGES}
    if path == "/_ping":
        return httpx.Response(200, headers={"Api-Version": "1.41"})
    if path == "/images/json":
        assert json.loads(request.url.params["filters"]) == {"label": [ENTRYPOINT_LABEL]}
    if path in given:
        return httpx.Response(200, json=given[path])
    identity = path.split("/")[2]
    if identity not in BEGIN:
        return httpx.Response(404, json={"message": "gone meanwhile"})
    return httpx.Response(200, json={"Config": {"Entrypoint": BEGIN[identity]}})


def test_by_their_first_word():
    async def asked() -> Gated:
        async with Engine("unix:///a.sock", httpx.MockTransport(answer)) as engine:
            return await gated(engine)

    assert asyncio.run(asked()) == Gated(
        ["paused", "web"], ["9876543210ab", "job"], ["7", "my-app:latest"]
    )
