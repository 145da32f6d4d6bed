"""The volume container: made, and its volume filled.

Docker fills a volume when its container is made. podman does it when a container that has the
volume starts first, with what lies there in that container's own image: this one has to be it. It
ends at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from waitforweave.docker.create import VOLUME_CONTAINER
from waitforweave.docker.engine import Engine, EngineError

# podman names itself so in each answer.
PODMAN = "Libpod-Api-Version"
PATH = f"/containers/{VOLUME_CONTAINER}"
# How long somebody else's making may take, whose end nothing tells: looked at again after each.
MAKING_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
NEVER_STARTED = ("created", "configured", "initialized")


async def is_there(engine: Engine) -> bool:
    """Whether it is there; then its volume is filled, too. EngineError.

    Whoever makes it may be between the two steps, or was killed there: a gated container that
    starts first would fill the volume with nothing, for ever.
    """
    try:
        found = await engine.request("GET", f"{PATH}/json")
    except EngineError as error:
        if error.status == 404:
            return False
        raise
    if PODMAN in found.headers and found.json()["State"]["Status"] in NEVER_STARTED:
        await fill(engine)
    return True


async def await_it(engine: Engine) -> None:
    """Until it is there, while somebody else makes it, but not for ever: Docker gives a name away
    before there is a container of that name (moby: daemon/create.go), and until then it tells
    whoever wants its volumes that there is none. EngineError."""
    for seconds in MAKING_SECONDS:
        if await is_there(engine):
            return
        await asyncio.sleep(seconds)


async def make(engine: Engine, body: Mapping[str, object]) -> None:
    """Create it, and fill its volume. EngineError; 409: somebody else was faster."""
    made = await engine.request("POST", f"/containers/create?name={VOLUME_CONTAINER}", json=body)
    if PODMAN in made.headers:
        await fill(engine)


async def fill(engine: Engine) -> None:
    await engine.request("POST", f"{PATH}/start")
    async for _ in engine.stream("POST", f"{PATH}/wait"):
        pass
