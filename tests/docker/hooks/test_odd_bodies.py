"""Differential: bodies that no docker client sends, plainly and through the whole hook.

Whatever the engine makes of them, it makes of ours: the same command, or the same error.
"""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.docker.hooks.conftest import without_gate
from tests.support import images
from waitforweave.docker.create import GATE
from waitforweave.docker.engine import Engine
from waitforweave.hooks.create_hook import CreateHook
from waitforweave.hooks.metrics import Metrics
from waitforweave.hooks.options import Options
from waitforweave.hooks.protocol import ClientRequest

GATED = [
    '"Cmd": ["a", null]',
    '"Cmd": "a b"',
    '"Entrypoint": "a b", "Cmd": [""]',
    r'"Cmd": ["a", "\ud800", "\udc00\ud83d\ude00", "\\ud800"]',
    '"Cmd": ["\\u0000é\\n"]',
    '"cmd": ["a"]',
    '"Cmd": ["a"], "cmd": ["b"]',
    '"Cmd": ["a"], "hostconfig": {"volumesfrom": []}',
    '"Cmd": ["a"], "HostConfig": null',
    '"Cmd": ["a"], "HostConfig": {"Memory": 123456789, "NanoCpus": 0, "Unknown": 1e999}',
    '"Cmd": ["a"], "Unknown": [1.50, 123456789012345678901234567890, {"a": {}}]',
]
LEFT = [
    '"Cmd": 5',
    '"Cmd": ["a", 5]',
    '"Cmd": {"a": 1}',
    '"Entrypoint": [null]',
    '"Entrypoint": [""]',
    '"Cmd": ["a"], "HostConfig": []',
    '"Cmd": ["a"], "HostConfig": {"VolumesFrom": "x"}',
    '"Cmd": ["a"], "HostConfig": {"VolumesFrom": [5]}',
    '"Cmd": ["a"], "HostConfig": {"NetworkMode": 5}',
    '"Cmd": ["a"',
]
NAMES = ["no-such-image", "A:::", ".", "..", "a//b", "../info", "a b?c#d", "a\nb", 5, ["a"]]


def through_hook(engine, body: str) -> str:
    async def call() -> str:
        async with Engine(engine.url) as client:
            request = ClientRequest("POST", "/containers/create", body)
            return (
                await CreateHook(client, Options(images.BUSYBOX), Metrics().creates)(request)
            ).Body or ""

    return asyncio.run(call())


def body_with(rest: str, image: object = images.BUSYBOX) -> str:
    return f'{{"Image": {json.dumps(image)}, "Env": ["WEAVE_CIDR=10.2.1.5/24"], {rest}}}'


@pytest.mark.parametrize("rest", GATED)
def test_what_the_engine_takes_is_gated(engine, api, rest):
    body = body_with(rest)
    status, plain = api.created(body)
    assert status == 201
    gated_status, gated = api.created(through_hook(engine, body))
    assert (gated_status, gated[0]) == (201, GATE)
    assert without_gate(gated) == plain


@pytest.mark.parametrize("rest", LEFT)
def test_what_the_engine_refuses_it_refuses_itself(engine, api, rest):
    body = body_with(rest)
    assert through_hook(engine, body) == body
    assert api.created(body)[0] >= 400


@pytest.mark.parametrize("image", NAMES)
def test_an_image_that_is_not_there_or_cannot_be_is_the_engines_to_tell(engine, api, image):
    body = body_with('"Cmd": ["a"]', image)
    assert through_hook(engine, body) == body
    assert api.created(body)[0] >= 400


@pytest.mark.parametrize("image", ["", None])
def test_a_container_without_an_image_is_gated_too(engine, api, image):
    body = body_with('"Cmd": ["a"]', image)
    assert api.created(body) == (201, ["a"])
    assert api.created(through_hook(engine, body)) == (201, [GATE, "a"])
