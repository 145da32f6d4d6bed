"""All facts, each looked for by itself: one that cannot be had hides none of the others."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from time import time

import msgspec

from waitforweave import __version__
from waitforweave.attach.backend import AttachError
from waitforweave.attach.choose import make_backend
from waitforweave.attach.ipam import Ipam
from waitforweave.attach.options import Options
from waitforweave.docker.certificates import home
from waitforweave.docker.create import VOLUME_CONTAINER
from waitforweave.docker.engine import Engine, EngineError
from waitforweave.docker.url import EngineUrl, parse_engine_url
from waitforweave.doctor import client, host, probe
from waitforweave.doctor.facts import (
    NEEDS_ROOT,
    Disk,
    Facts,
    Launch,
    Server,
    Unseen,
    Volume,
)
from waitforweave.doctor.facts import Engine as EngineFacts
from waitforweave.doctor.facts import Host as HostFacts
from waitforweave.hooks.status import Answer
from waitforweave.launch import asking, on_engine, on_host
from waitforweave.launch.containers import HOOKS_CONTAINER, STATE_VOLUME
from waitforweave.launch.settings import LaunchError, Settings

DOCKER_BRIDGE = "com.docker.network.bridge.name"


async def gather(url: str, tls: ssl.SSLContext | None, environ: Mapping[str, str]) -> Facts:
    """Everything, for the engine at this URL and a docker client with this environment."""
    address = parse_engine_url(url)
    async with Engine(url, tls=tls) as engine:
        found = replace(await engine_facts(engine, url), tls=tls is not None)
        asked = await client.ask(client.named(environ, home()))
        facts = Facts(__version__, found, launch_on_host(url), asked, folders=folders_of(url))
        if address.scheme == "unix":
            facts = replace(facts, socket=client.socket_at(Path(address.path)))
        facts = replace(facts, host=await host_of(engine, address, found))
        if not found.fault:
            facts = await with_engine(facts, engine)
            facts = replace(facts, owner=await owner_of(engine, facts.launch))
        return await with_launch(facts, engine)


async def engine_facts(engine: Engine, url: str) -> EngineFacts:
    try:
        version = (await engine.request("GET", "/version")).json()
        asked = time()
        info = (await engine.request("GET", "/info")).json()
        clock = moment(info.get("SystemTime", "")) - (asked + time()) / 2
        containers = (await engine.request("GET", "/containers/json?all=1")).json()
        volumes = (await engine.request("GET", "/volumes")).json().get("Volumes") or []
    except EngineError as error:
        return EngineFacts(url, fault=str(error))
    named = {each["Id"]: (each["Names"] or [""])[0].lstrip("/") for each in containers}
    return EngineFacts(
        *(url, "", version.get("Version", "?"), version.get("ApiVersion", "?"), clock, named),
        tuple(volume["Name"] for volume in volumes),
    )


def moment(text: str) -> float:
    """The engine's time; our own where it does not say."""
    try:
        # Nanoseconds are more than Python reads.
        head, _, rest = text.partition(".")
        zone = rest.lstrip("0123456789") if rest else ""
        return datetime.fromisoformat(head + zone).timestamp()
    except ValueError:
        return time()


def folders_of(url: str) -> tuple[str, ...]:
    """Those of processes of this host for this engine that are there."""
    folders = on_host.Folders.of(url)
    return tuple(str(folder) for folder in (folders.run, folders.state) if folder.exists())


def launch_on_host(url: str) -> Launch:
    """What is launched as processes of this host."""
    try:
        record = on_host.recorded(url)
    except LaunchError as error:
        return Launch(fault=str(error))
    if record is None:
        return Launch()
    return Launch(Settings.from_label(record.settings), True, tuple(on_host.states(record)))


async def with_engine(facts: Facts, engine: Engine) -> Facts:
    """What only an engine that answers can tell."""
    launch = await launch_of(engine)
    volume = await volume_of(engine)
    facts = replace(facts, launch=launch, volume=volume)
    if launch.settings is None:
        return facts
    backend = backend_fault(launch.settings, facts.engine.url)
    try:
        said = msgspec.json.decode(await asking.status_of(engine, engine.url), type=Answer)
    except (LaunchError, EngineError, msgspec.MsgspecError) as error:
        if launch.host_process and os.geteuid() != 0 and "Permission denied" in str(error):
            return replace(facts, server=NEEDS_ROOT, backend_fault=backend)
        return replace(facts, server_fault=str(error), backend_fault=backend)
    failed = tuple(row.name for row in said.containers if row.state == "failed")
    server = Server(said.version, said.following, failed)
    return replace(facts, server=server, backend_fault=backend)


async def with_launch(facts: Facts, engine: Engine) -> Facts:
    """What there is only with a launch."""
    launch, seen = facts.launch, facts.host
    if launch.settings is None:
        return facts
    asked = [client.Named("--listen", listen) for listen in launch.settings.listen]
    proxies = [await client.ask(each) for each in asked]
    if isinstance(seen, Unseen):
        # What does not answer here may do so there.
        answering = tuple(each for each in proxies if not each.fault)
        return replace(facts, proxies=answering, disk=seen, capabilities=seen)
    facts = replace(facts, proxies=tuple(proxies))
    rights = await rights_of(engine, launch)
    return replace(facts, disk=await disk_of(engine, launch), capabilities=rights)


async def launch_of(engine: Engine) -> Launch:
    """What is launched for this engine, either way."""
    launch = launch_on_host(engine.url)
    if launch.settings is not None or launch.fault:
        return launch
    try:
        settings = await on_engine.launched(engine)
        return Launch(settings, False, tuple(await on_engine.states(engine)))
    except (LaunchError, EngineError) as error:
        return Launch(fault=str(error))


async def volume_of(engine: Engine) -> Volume | None:
    try:
        if await on_engine.inspect(engine, VOLUME_CONTAINER) is None:
            return Volume(False)
        return Volume(True, *await probe.version(engine))
    except EngineError as error:
        return Volume(True, fault=str(error))


def backend_fault(settings: Settings, url: str) -> str | Unseen:
    """Whether another network's own programs are there and ready; ours is looked at itself."""
    if settings.backend == "bridge":
        return ""
    if os.geteuid() != 0:
        return NEEDS_ROOT
    state, options = on_host.Folders.of(url).state, options_of(settings.network)
    network = make_backend(
        settings.backend, subnet=settings.subnet, state=state, engine=url, options=options
    )
    try:
        # The others than ours only look.
        network.prepare()
    except AttachError as error:
        return str(error)
    return ""


def options_of(words: tuple[str, ...]) -> Options:
    """What other networks want to know, of a launch's own words."""
    given = dict(word.removeprefix("--").split("=", 1) for word in words if "=" in word)
    default = Options()
    return Options(
        weave=given.get("weave", default.weave),
        cni_config=Path(given.get("cni-config", default.cni_config)),
        cni_path=given.get("cni-path", default.cni_path),
    )


async def disk_of(engine: Engine, launch: Launch) -> Disk | Unseen:
    """Where this launch keeps its books."""
    try:
        return host.disk(await state_of(engine, launch))
    except EngineError as error:
        return Unseen(str(error))


async def state_of(engine: Engine, launch: Launch) -> Path:
    """Where the books of the engine's containers are: a launch's, or those of who attaches by
    hand. EngineError."""
    if launch.settings is None:
        return on_host.STATE_FOLDER
    if launch.host_process:
        return on_host.Folders.of(engine.url).state
    volume = (await engine.request("GET", f"/volumes/{STATE_VOLUME}")).json()
    return Path(volume["Mountpoint"])


async def owner_of(engine: Engine, launch: Launch) -> str:
    """What those books are known by; "" where they cannot be read, or are not there."""
    try:
        return Ipam(await state_of(engine, launch), "").owner()
    except (AttachError, EngineError, OSError):
        return ""


async def host_of(engine: Engine, url: EngineUrl, found: EngineFacts) -> HostFacts | Unseen:
    """Only where the engine's own bridge is here too, its containers are on this network."""
    here = url.scheme == "unix" if found.fault else await is_here(engine, url)
    if not here:
        return Unseen("the engine's network is not the one of this shell: look on its own host")
    return await asyncio.to_thread(host.look)


async def is_here(engine: Engine, url: EngineUrl) -> bool:
    try:
        network = (await engine.request("GET", "/networks/bridge")).json()
    except EngineError:
        # An engine without it (--bridge=none): one with a socket is this host's.
        return url.scheme == "unix"
    name = (network.get("Options") or {}).get(DOCKER_BRIDGE)
    return host.has_link(name) if name else url.scheme == "unix"


async def rights_of(engine: Engine, launch: Launch) -> frozenset[str] | Unseen | None:
    """The capabilities of the hook server; None where none runs."""
    if launch.host_process:
        record = on_host.recorded(engine.url)
        process = record.processes.get(on_host.HOOKS) if record else None
        runs = process is not None and on_host.found(process) is not None
        return host.capabilities(process.pid) if process is not None and runs else None
    try:
        found = await on_engine.inspect(engine, HOOKS_CONTAINER)
    except EngineError as error:
        return Unseen(str(error))
    pid = (found or {}).get("State", {}).get("Pid") or 0
    return host.capabilities(pid) if pid else None
