"""Launch and stop: the order of things, whichever way the programs run."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from waitforweave.docker.create import VOLUME_CONTAINER
from waitforweave.docker.engine import Engine, EngineError
from waitforweave.launch import containers, on_engine, on_host
from waitforweave.launch.gated import Gated, gated
from waitforweave.launch.settings import LaunchError, Settings, Tell


@dataclass(frozen=True)
class Existing:
    """A launch that is there already: how it was made, and whether as processes of this host."""

    settings: Settings
    host_process: bool


async def launch(
    engine: Engine, settings: Settings, tell: Tell, *, host_process: bool, replacing: bool = False
) -> list[str]:
    """Bring up what is missing; the names of what was started. LaunchError, EngineError.

    A first launch that fails, or is interrupted, takes away again what it has brought up: else the
    next one, with better options, would find another launch there.
    """
    if not host_process:
        containers.require_contained(settings)
    on_host.require_engine(settings.engine)
    identity = await require_image(engine, settings)
    existing, wanted = await find(engine, settings.engine), Existing(settings, host_process)
    if existing is not None and replacing:
        return await replaced(engine, existing, wanted, tell)
    if existing is not None:
        require_same(existing, wanted)
    if replacing:
        await on_engine.remove_volume_container(engine)
    await require_same_image(engine, settings.image, identity)
    if existing is not None:
        return await bring_up(engine, wanted, tell)
    return await first(engine, wanted, tell)


async def first(engine: Engine, wanted: Existing, tell: Tell) -> list[str]:
    """All of it, or nothing."""
    had_volume = await on_engine.inspect(engine, VOLUME_CONTAINER) is not None
    try:
        return await bring_up(engine, wanted, tell)
    except BaseException as error:
        # A name is taken meanwhile: by another launch, which is not ours to take away. It has come
        # from another host, or from a container, and so past our lock.
        if isinstance(error, EngineError) and error.status == 409:
            taken = f"another launch is under way on this engine ({error})"
            raise LaunchError(f"{taken}; type it again when that is done") from error
        # What was wrong first is what the person shall read.
        with suppress(LaunchError, EngineError):
            await take_down(engine, wanted.settings.engine, with_volume=not had_volume)
        raise


async def replaced(engine: Engine, existing: Existing, wanted: Existing, tell: Tell) -> list[str]:
    """Each part is made anew; what was attached stays so, and the addresses given stay given.

    Whatever fails: what was there comes back. Gated containers have mounted their volume itself,
    which stays with them when the container that brought it goes.
    """
    require_same_network(existing, wanted)
    before = await as_it_was(engine, existing)
    try:
        tell("ending what was launched before")
        await end_parts(engine, existing)
        return await bring_up(engine, wanted, tell)
    except BaseException as error:
        tell("bringing back what was launched before")
        try:
            await end_parts(engine, existing)
            await bring_up(engine, before, tell)
        except (LaunchError, EngineError) as other:
            first = str(error) or "interrupted"
            raise LaunchError(
                f"{first}; what was launched before did not come back: {other}; weavewait launch "
                "--replace again, or weavewait stop"
            ) from error
        if isinstance(error, LaunchError | EngineError):
            raise LaunchError(f"{error}; what was launched before runs again") from error
        raise


async def as_it_was(engine: Engine, existing: Existing) -> Existing:
    """An image's name may be another's by now: then by its id."""
    volume = await on_engine.inspect(engine, VOLUME_CONTAINER)
    if volume is None or volume["Image"] == await image_id(engine, existing.settings.image):
        return existing
    return replace(existing, settings=replace(existing.settings, image=volume["Image"]))


async def end_parts(engine: Engine, existing: Existing) -> None:
    """The programs and the volume container; not the network, nor what is known of it."""
    record = on_host.recorded(existing.settings.engine)
    if record is not None:
        on_host.end_programs(record)
    # The hook server's container, by which the launch is known, stays until its successor comes.
    await on_engine.end_programs(engine)
    await on_engine.remove_volume_container(engine)


async def bring_up(engine: Engine, wanted: Existing, tell: Tell) -> list[str]:
    """Start what does not run; its names."""
    started = []
    if await on_engine.ensure_volume_container(engine, wanted.settings):
        started.append(VOLUME_CONTAINER)
    if wanted.host_process:
        return started + on_host.bring_up(wanted.settings, tell)
    return started + await on_engine.bring_up(engine, wanted.settings, tell)


async def stop(engine: Engine, url: str) -> tuple[list[str], Gated]:
    """Take all of it away; the names of what was there, and what still wants our gate.
    LaunchError, EngineError."""
    on_host.require_engine(url)
    return await take_down(engine, url, with_volume=True), await gated(engine)


async def would_stop(engine: Engine, url: str) -> tuple[list[str], Gated]:
    """What `stop` would give; nothing is changed. LaunchError, EngineError."""
    on_host.require_engine(url)
    names = [*on_host.there(url), *await on_engine.there(engine)]
    volume = await on_engine.has_our_volume_container(engine)
    return names + [VOLUME_CONTAINER] * volume, await gated(engine)


async def take_down(engine: Engine, url: str, *, with_volume: bool) -> list[str]:
    """What runs on the host goes first: that needs no engine that answers."""
    gone = [*on_host.take_down(url), *await on_engine.take_down(engine)]
    # The engine has made it for the proxy's socket, by the mount.
    on_host.remove_if_empty(on_host.RUN_FOLDER)
    if with_volume and await on_engine.has_our_volume_container(engine):
        await on_engine.remove_volume_container(engine)
        gone.append(VOLUME_CONTAINER)
    return gone


async def image_id(engine: Engine, name: str) -> str | None:
    found = await image(engine, name)
    return None if found is None else str(found["Id"])


async def image(engine: Engine, name: str) -> dict[str, Any] | None:
    """`docker image inspect NAME`, or None where there is no such image."""
    try:
        return await engine.inspect_image(name)
    except EngineError as error:
        if error.status != 404:
            raise
        return None


async def require_image(engine: Engine, settings: Settings) -> str:
    """Its id. LaunchError: it is not there, or another one, of which nothing would start."""
    found = await image(engine, settings.image)
    if found is None:
        raise LaunchError(
            f"the engine at {settings.engine} has no image {settings.image}; "
            f"build it there: DOCKER_HOST={settings.engine} make image"
        )
    if (found.get("Config") or {}).get("Entrypoint") != [containers.PROGRAM]:
        raise LaunchError(f"the image {settings.image} is not ours; make image builds ours")
    return str(found["Id"])


async def require_same_image(engine: Engine, name: str, image: str) -> None:
    """What is there already may be of an older image, whose name this one has now. LaunchError."""
    for part in (VOLUME_CONTAINER, *on_engine.PROGRAMS):
        found = await on_engine.inspect(engine, part)
        if found is not None and found["Image"] != image:
            older = f"{found['Config']['Image']}, {short(found['Image'])}"
            raise LaunchError(
                f"the container {part} is of another image ({older}) than {name} ({short(image)}); "
                "--replace puts this one in its place; gated containers keep gate and network"
            )


def short(identity: str) -> str:
    """As `docker image ls` shows it."""
    return identity.removeprefix("sha256:")[:12]


async def find(engine: Engine, url: str) -> Existing | None:
    """The launch on this engine, if there is one."""
    record = on_host.recorded(url)
    if record is not None:
        return Existing(Settings.from_label(record.settings), host_process=True)
    settings = await on_engine.launched(engine)
    return None if settings is None else Existing(settings, host_process=False)


def require_same(existing: Existing, wanted: Existing) -> None:
    """A second launch changes nothing: with other options it is an error, never half a change."""
    if differences := differences_of(existing, wanted):
        raise LaunchError(
            f"launched already, but otherwise: {differences}; "
            f"first: weavewait stop --engine {existing.settings.engine}"
            f"{'; or add --replace' if same_network(existing, wanted) else ''}"
        )


def require_same_network(existing: Existing, wanted: Existing) -> None:
    if not same_network(existing, wanted):
        raise LaunchError(
            f"--replace keeps the network as it is: {differences_of(existing, wanted)}; "
            f"first: weavewait stop --engine {existing.settings.engine}"
        )


def same_network(existing: Existing, wanted: Existing) -> bool:
    ways = existing.host_process == wanted.host_process
    return ways and existing.settings.same_network(wanted.settings)


def differences_of(existing: Existing, wanted: Existing) -> str:
    """For a person, "" for none."""
    if existing.host_process != wanted.host_process:
        ways = {True: "processes on the host", False: "containers"}
        return f"it runs as {ways[existing.host_process]}"
    return existing.settings.differences(wanted.settings)


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
