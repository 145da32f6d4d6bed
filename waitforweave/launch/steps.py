"""Launch and stop: the order of things, whichever way the programs run."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from waitforweave.docker.create import GATE, VOLUME_CONTAINER
from waitforweave.docker.engine import Engine, EngineError
from waitforweave.launch import containers, on_engine, on_host
from waitforweave.launch.settings import LaunchError, Settings


@dataclass(frozen=True)
class Existing:
    """A launch that is there already: how it was made, and whether as processes of this host."""

    settings: Settings
    host_process: bool


async def launch(engine: Engine, settings: Settings, *, host_process: bool) -> list[str]:
    """Bring up what is missing; the names of what was started. LaunchError, EngineError.

    A first launch that fails, or is interrupted, takes away again what it has brought up: else the
    next one, with better options, would find another launch there.
    """
    if not host_process:
        containers.require_contained(settings)
    await require_image(engine, settings)
    existing = await find(engine, settings.engine)
    if existing is not None:
        require_same(existing, Existing(settings, host_process))
        return await bring_up(engine, settings, host_process=host_process)
    had_volume = await on_engine.inspect(engine, VOLUME_CONTAINER) is not None
    try:
        return await bring_up(engine, settings, host_process=host_process)
    except BaseException as error:
        # A name is taken meanwhile: by another launch, which is not ours to take away. It has come
        # from another host, or from a container, and so past our lock.
        if isinstance(error, EngineError) and error.status == 409:
            taken = f"another launch is under way on this engine ({error})"
            raise LaunchError(f"{taken}; type it again when that is done") from error
        # What was wrong first is what the person shall read.
        with suppress(LaunchError, EngineError):
            await take_down(engine, settings.engine, with_volume=not had_volume)
        raise


async def bring_up(engine: Engine, settings: Settings, *, host_process: bool) -> list[str]:
    """Start what does not run; its names."""
    started = []
    if await on_engine.ensure_volume_container(engine, settings):
        started.append(VOLUME_CONTAINER)
    if host_process:
        return started + on_host.bring_up(settings)
    return started + await on_engine.bring_up(engine, settings)


async def stop(engine: Engine, url: str) -> list[str]:
    """Take all of it away; the names of the containers that still want our gate. LaunchError."""
    await take_down(engine, url, with_volume=True)
    return await gated_containers(engine)


async def take_down(engine: Engine, url: str, *, with_volume: bool) -> None:
    """What runs on the host goes first: that needs no engine that answers."""
    on_host.take_down(url)
    await on_engine.take_down(engine)
    if with_volume:
        await on_engine.remove_volume_container(engine)


async def require_image(engine: Engine, settings: Settings) -> None:
    try:
        await engine.inspect_image(settings.image)
    except EngineError as error:
        if error.status != 404:
            raise
        raise LaunchError(
            f"the engine at {settings.engine} has no image {settings.image}; "
            f"build it there: DOCKER_HOST={settings.engine} make image"
        ) from error


async def find(engine: Engine, url: str) -> Existing | None:
    """The launch on this engine, if there is one."""
    record = on_host.recorded(url)
    if record is not None:
        return Existing(Settings.from_label(record.settings), host_process=True)
    settings = await on_engine.launched(engine)
    return None if settings is None else Existing(settings, host_process=False)


def require_same(existing: Existing, wanted: Existing) -> None:
    """A second launch changes nothing: with other options it is an error, never half a change."""
    differences = existing.settings.differences(wanted.settings)
    if existing.host_process != wanted.host_process:
        ways = {True: "processes on the host", False: "containers"}
        differences = f"it runs as {ways[existing.host_process]}"
    if differences:
        raise LaunchError(
            f"launched already, but otherwise: {differences}; "
            f"first: weavewait stop --engine {existing.settings.engine}"
        )


async def gated_containers(engine: Engine) -> list[str]:
    """The names of all containers, running or not, that begin with our gate."""
    response = await engine.request("GET", "/containers/json?all=1")
    names = [found["Names"][0].lstrip("/") for found in response.json()]
    bodies = [(name, await on_engine.inspect(engine, name)) for name in names]
    return sorted(name for name, body in bodies if body is not None and body["Path"] == GATE)


@dataclass(frozen=True)
class Part:
    """One line of `weavewait status`."""

    name: str
    state: str
    good: bool = True


async def status(engine: Engine, url: str) -> list[Part]:
    """What of a launch is there, in the order in which it is needed."""
    volume = await on_engine.inspect(engine, VOLUME_CONTAINER)
    state = "there" if volume is not None else "not there: weavewait launch"
    parts = [Part(VOLUME_CONTAINER, state, volume is not None)]
    record = on_host.recorded(url)
    programs = on_host.states(record) if record is not None else await on_engine.states(engine)
    words = {True: "running", False: "not running"}
    return parts + [Part(name, words[runs], runs) for name, runs in programs]
