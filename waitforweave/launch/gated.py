"""What of an engine's begins with our gate, and so wants a launch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

from waitforweave.docker.create import GATE
from waitforweave.docker.engine import RUNNING, Engine, EngineError
from waitforweave.docker.original import ENTRYPOINT_LABEL


@dataclass(frozen=True)
class Gated:
    """Names of containers, and of images that were committed from such."""

    running: list[str]
    stopped: list[str]
    images: list[str]


async def gated(engine: Engine) -> Gated:
    """EngineError."""
    listed = (await engine.request("GET", "/containers/json?all=1")).json()
    running: dict[str, bool] = {}
    for each in listed:
        if await begins_with_gate(engine, f"/containers/{each['Id']}/json"):
            # One that is being removed may have lost its name.
            name = (each["Names"] or [each["Id"][:12]])[0].lstrip("/")
            running[name] = each["State"] in RUNNING
    names = sorted(running)
    return Gated(
        [name for name in names if running[name]],
        [name for name in names if not running[name]],
        await gated_images(engine),
    )


async def gated_images(engine: Engine) -> list[str]:
    """By their label first: an engine may have very many images."""
    labelled = quote(json.dumps({"label": [ENTRYPOINT_LABEL]}))
    listed = (await engine.request("GET", f"/images/json?filters={labelled}")).json()
    names: list[str] = []
    for each in listed:
        # An image made FROM such a one has its label, and may have an entrypoint of its own.
        if await begins_with_gate(engine, f"/images/{each['Id']}/json"):
            names += each["RepoTags"] or [each["Id"]]
    return sorted(names)


async def begins_with_gate(engine: Engine, path: str) -> bool:
    """Whether the container or image there does; one that has gone meanwhile does not."""
    try:
        config = (await engine.request("GET", path)).json().get("Config") or {}
    except EngineError as error:
        if error.status == 404:
            return False
        raise
    return bool((config.get("Entrypoint") or [""])[0] == GATE)
