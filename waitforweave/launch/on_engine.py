"""The parts as containers: made where they are missing, read until they are ready, removed."""

from __future__ import annotations

import asyncio
import io
import json
import tarfile
from collections.abc import Callable
from typing import Any

from waitforweave.docker import volume_container
from waitforweave.docker.create import VOLUME_CONTAINER
from waitforweave.docker.engine import Engine, EngineError
from waitforweave.launch import containers
from waitforweave.launch.containers import (
    CONFIG_NAME,
    HOOKS_CONTAINER,
    LABEL,
    PROXY_CONTAINER,
    RUN_FOLDER,
    RUN_VOLUME,
    STATE_VOLUME,
    Body,
)
from waitforweave.launch.settings import NETWORK, LaunchError, Settings, Tell

READY_SECONDS = 20.0
READY_MARK = b"listening on"
VOLUMES = (RUN_VOLUME, STATE_VOLUME)
# The hook server first: the proxy calls it. Taken down the other way round.
PROGRAMS: dict[str, Callable[[Settings], Body]] = {
    HOOKS_CONTAINER: containers.hooks_body,
    PROXY_CONTAINER: containers.proxy_body,
}


async def inspect(engine: Engine, name: str) -> dict[str, Any] | None:
    """`docker inspect NAME`, or None where there is no such container."""
    try:
        return await engine.inspect_container(name)
    except EngineError as error:
        if error.status == 404:
            return None
        raise


async def launched(engine: Engine) -> Settings | None:
    """How the programs were launched as containers on this engine, or None."""
    for name in PROGRAMS:
        found = await inspect(engine, name)
        if found is None:
            continue
        text = (found["Config"]["Labels"] or {}).get(LABEL)
        if text is None:
            raise LaunchError(f"a container named {name} is there that is not ours; remove it")
        return Settings.from_label(text)
    return None


async def states(engine: Engine) -> list[tuple[str, bool]]:
    """Each program's container, and whether it runs."""
    found = [(name, await inspect(engine, name)) for name in PROGRAMS]
    return [(name, body is not None and body["State"]["Running"]) for name, body in found]


async def ensure_volume_container(engine: Engine, settings: Settings) -> bool:
    """Make `weavewait` if it is not there; whether it was made."""
    if await volume_container.is_there(engine):
        return False
    await volume_container.make(engine, containers.volume_body(settings))
    return True


async def bring_up(engine: Engine, settings: Settings, tell: Tell) -> list[str]:
    """Start what does not run yet; the names of what was started. LaunchError, EngineError."""
    started = []
    for name, body in PROGRAMS.items():
        found = await inspect(engine, name)
        if found is not None and found["State"]["Running"]:
            continue
        tell(f"starting {name}")
        # One that has ended is made anew: its options may be an older version's.
        await remove(engine, name)
        await create(engine, name, body(settings))
        if name == PROXY_CONTAINER:
            await put_config(engine, name, settings)
        await start(engine, name)
        started.append(name)
    return started


async def take_down(engine: Engine) -> list[str]:
    """Remove programs, networks and volumes of a launch; the names of what was there.

    The hook server's container says how it was launched: it stays until the network is away, so
    that a `stop` which could not do that can be repeated.
    """
    settings = await launched(engine)
    if settings is not None:
        settings.require_engine(engine.url)
    gone = await there(engine)
    await end_programs(engine)
    if settings is not None:
        await clean_up(engine, settings)
    await remove(engine, HOOKS_CONTAINER)
    for volume in VOLUMES:
        await quietly(engine, "DELETE", f"/volumes/{volume}")
    return gone


async def there(engine: Engine) -> list[str]:
    """What `take_down` takes away, in its order."""
    names = [name for name in reversed(PROGRAMS) if await inspect(engine, name) is not None]
    known = (await engine.request("GET", "/volumes")).json().get("Volumes") or []
    volumes = {each["Name"] for each in known}
    network = [NETWORK] if names else []
    return names + network + [name for name in VOLUMES if name in volumes]


async def end_programs(engine: Engine) -> None:
    """The proxy first: no call may come in between. The hook server's container stays."""
    # Told to end, not killed: it takes its sockets away.
    await quietly(engine, "POST", f"/containers/{PROXY_CONTAINER}/stop")
    await remove(engine, PROXY_CONTAINER)
    await quietly(engine, "POST", f"/containers/{HOOKS_CONTAINER}/stop")


async def has_our_volume_container(engine: Engine) -> bool:
    """Another's that has this name, Weave's own perhaps, is not ours to take away."""
    found = await inspect(engine, VOLUME_CONTAINER)
    return found is not None and found["Config"].get("Entrypoint") == [containers.PROGRAM]


async def remove_volume_container(engine: Engine) -> bool:
    """Remove `weavewait`; its volume stays as long as a gated container uses it (the engine's
    rule), and goes with it otherwise. Whether it was there."""
    return await remove(engine, VOLUME_CONTAINER)


async def clean_up(engine: Engine, settings: Settings) -> None:
    """Bridge, links and addresses are taken away from where they were made: in a container."""
    name = f"{HOOKS_CONTAINER}-clean-up"
    await remove(engine, name)
    await create(engine, name, containers.cleaner_body(settings))
    try:
        await engine.request("POST", f"/containers/{name}/start")
        ended = b"".join([part async for part in engine.stream("POST", f"/containers/{name}/wait")])
        if json.loads(ended)["StatusCode"] != 0:
            raise LaunchError(f"could not take the network away: {await log(engine, name)}")
    except EngineError as error:
        raise LaunchError(f"could not take the network away: {error}") from error
    finally:
        await remove(engine, name)


async def create(engine: Engine, name: str, body: Body) -> None:
    await engine.request("POST", f"/containers/create?name={name}", json=body)


async def put_config(engine: Engine, name: str, settings: Settings) -> None:
    """adapters.yml goes into the run volume; the root itself is read-only."""
    content = containers.config_text(settings).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo(CONFIG_NAME)
        entry.size, entry.mode = len(content), 0o644
        tar.addfile(entry, io.BytesIO(content))
    path = f"/containers/{name}/archive?path={RUN_FOLDER}"
    await engine.request("PUT", path, content=buffer.getvalue())


async def start(engine: Engine, name: str) -> None:
    """Start it and read what it says, until it is ready, ends, or takes too long."""
    await engine.request("POST", f"/containers/{name}/start")
    path = f"/containers/{name}/logs?follow=1&stdout=1&stderr=1"
    said = b""
    try:
        async with asyncio.timeout(READY_SECONDS):
            async for chunk in engine.stream("GET", path):
                said += chunk
                if READY_MARK in said:
                    return
    except TimeoutError:
        pass
    text = await log(engine, name)
    await remove(engine, name)
    raise LaunchError(f"container {name} did not start: {text or 'it said nothing'}")


async def log(engine: Engine, name: str) -> str:
    """What a container said, without the stream's frames (8 bytes before each piece)."""
    response = await engine.request("GET", f"/containers/{name}/logs?stdout=1&stderr=1")
    rest, text = response.content, b""
    while len(rest) >= 8:
        end = 8 + int.from_bytes(rest[4:8])
        text, rest = text + rest[8:end], rest[end:]
    return text.decode(errors="replace").strip()


async def remove(engine: Engine, name: str) -> bool:
    """`docker rm -f -v NAME`; whether it was there."""
    return await quietly(engine, "DELETE", f"/containers/{name}?force=1&v=1")


async def quietly(engine: Engine, method: str, path: str) -> bool:
    """A request for which 404 is no error; whether the thing was there."""
    try:
        await engine.request(method, path)
    except EngineError as error:
        if error.status == 404:
            return False
        raise
    return True
