"""The volume container: made, and its volume filled."""

from __future__ import annotations

from collections.abc import Mapping

from waitforweave.docker.create import VOLUME_CONTAINER
from waitforweave.docker.engine import Engine

# podman names itself so in each answer.
PODMAN = "Libpod-Api-Version"
PATH = f"/containers/{VOLUME_CONTAINER}"


async def make(engine: Engine, body: Mapping[str, object]) -> None:
    """Create it; EngineError.

    Docker fills a volume when its container is made. podman does it when a container that has the
    volume starts first, with what lies there in that container's own image: this one has to be it.
    It ends at once.
    """
    path = f"/containers/create?name={VOLUME_CONTAINER}"
    made = await engine.request("POST", path, json=body)
    if PODMAN in made.headers:
        await engine.request("POST", f"{PATH}/start")
        async for _ in engine.stream("POST", f"{PATH}/wait"):
            pass
