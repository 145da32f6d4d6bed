"""The gate, run once in a throw-away container: what it says is what it would say to others.

Whoever may use the engine may do that; no right on the host is needed, and no process of ours is
put into anybody's container.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from secrets import token_hex

from waitforweave.docker.create import GATE, VOLUME_CONTAINER, VOLUMES_FROM
from waitforweave.docker.engine import Engine, EngineError
from waitforweave.launch import on_engine

LIMIT_SECONDS = 20.0
PREFIX = "weavewait-probe-"


@dataclass(frozen=True)
class Said:
    """How it ended, and what it said on both streams."""

    code: int
    text: str


async def run_gate(
    engine: Engine, words: Sequence[str], env: Iterable[str] = (), network: str = "none"
) -> Said:
    """`wait-for-weave WORDS` with this environment, in this network (`container:ID`).
    EngineError; TimeoutError."""
    volume = await engine.inspect_container(VOLUME_CONTAINER)
    body = {
        # By its id: the name may be another image's since.
        "Image": volume["Image"],
        "Entrypoint": [GATE],
        "Cmd": [*words],
        "Env": [*env],
        "HostConfig": {
            "VolumesFrom": [VOLUMES_FROM],
            "NetworkMode": network,
            "CapDrop": ["ALL"],
            "ReadonlyRootfs": True,
            "LogConfig": {"Type": "json-file"},
        },
    }
    name = PREFIX + token_hex(6)
    await on_engine.create(engine, name, body)
    try:
        return await outcome(engine, name)
    finally:
        await on_engine.remove(engine, name)


async def outcome(engine: Engine, name: str) -> Said:
    await engine.request("POST", f"/containers/{name}/start")
    async with asyncio.timeout(LIMIT_SECONDS):
        path = f"/containers/{name}/wait"
        ended = b"".join([part async for part in engine.stream("POST", path)])
    return Said(json.loads(ended)["StatusCode"], await on_engine.log(engine, name))


async def version(engine: Engine) -> tuple[str, str]:
    """The version that the volume's gate says, or "" and why it says none."""
    try:
        said = await run_gate(engine, ["--version"])
    except EngineError as error:
        return "", str(error)
    except TimeoutError:
        return "", f"no answer within {LIMIT_SECONDS:.0f} s"
    program, _, number = said.text.partition(" ")
    if said.code == 0 and program == "wait-for-weave" and number:
        return number, ""
    return "", f"it ended with exit code {said.code}: {said.text or 'it said nothing'}"
