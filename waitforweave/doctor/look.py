"""Facts about one container, for `weavewait explain`."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

import msgspec

from waitforweave.docker.create import GATE
from waitforweave.docker.engine import Engine, EngineError
from waitforweave.docker.json_object import Object
from waitforweave.doctor import probe
from waitforweave.doctor.explain import gate_words
from waitforweave.doctor.facts import Launch, Unseen
from waitforweave.doctor.gather import launch_of
from waitforweave.doctor.story import Finding, Story
from waitforweave.gate.options import UsageError
from waitforweave.hooks.status import Answer, Row
from waitforweave.launch import asking, on_host
from waitforweave.launch.containers import HOOKS_CONTAINER
from waitforweave.launch.settings import LaunchError

# Text, or one JSON object a line; a frame's head of the log may stand before either.
GATE_LINE = re.compile(
    rb'wait-for-weave: [^\r\n]*|\{"time": [^\r\n]*"program": "wait-for-weave".*\}'
)
LINES = 6
# Of which they are looked for among.
TAIL = 2000


class Report(msgspec.Struct):
    """What the gate's --explain says, as JSON."""

    asked: list[Finding]


async def look(url: str, tls: ssl.SSLContext | None, name: str) -> Story:
    """EngineError: among others, that there is no such container."""
    async with Engine(url, tls=tls) as engine:
        container = await engine.inspect_container(name)
        launch = await launch_of(engine)
        return Story(
            container,
            await image_env(engine, container),
            launch,
            await row_of(engine, launch, container["Id"]),
            await findings(engine, container),
            await gate_log(engine, container),
            await hooks_log(engine, launch, container["Id"]),
        )


async def image_env(engine: Engine, container: Object) -> tuple[str, ...] | None:
    """None where the image is gone, or cannot be asked for."""
    try:
        image = await engine.inspect_image(container["Image"])
    except EngineError:
        return None
    return tuple((image.get("Config") or {}).get("Env") or ())


async def row_of(engine: Engine, launch: Launch, identity: str) -> Row | Unseen | None:
    """What the hook server says of it."""
    if launch.settings is None:
        return Unseen(launch.fault or "nothing is launched")
    try:
        answer = msgspec.json.decode(await asking.status_of(engine, engine.url), type=Answer)
    except (LaunchError, EngineError, msgspec.MsgspecError) as error:
        return Unseen(str(error))
    return next((row for row in answer.containers if row.id == identity), None)


async def findings(engine: Engine, container: Object) -> tuple[Finding, ...] | Unseen:
    """What its gate would say now, or () where it has none. Asked in a container of our own that
    shares its network: nothing is run in the container itself."""
    if container["Path"] != GATE:
        return ()
    try:
        words, env = gate_words(container)
    except UsageError as error:
        return Unseen(f"its options are wrong: {error}")
    runs = container["State"]["Running"] and container["State"]["Pid"]
    network = f"container:{container['Id']}" if runs else "none"
    try:
        said = await probe.run_gate(engine, words, env, network)
        return tuple(msgspec.json.decode(said.text, type=Report).asked)
    except (EngineError, TimeoutError, msgspec.MsgspecError) as error:
        return Unseen(f"the gate could not be asked: {error}")


async def gate_log(engine: Engine, container: Object) -> tuple[str, ...]:
    """The gate's last lines in the container's log; none where the log cannot be read."""
    path = f"/containers/{container['Id']}/logs?stdout=1&stderr=1&tail={TAIL}"
    return await lines_of(engine, path, GATE_LINE)


async def hooks_log(engine: Engine, launch: Launch, identity: str) -> tuple[str, ...]:
    """The hook server's last lines about it."""
    line = re.compile(rb"weavewait serve: [^\r\n]*\(" + identity[:12].encode() + rb"\)[^\r\n]*")
    if not launch.host_process:
        path = f"/containers/{HOOKS_CONTAINER}/logs?stdout=1&stderr=1&tail={TAIL}"
        return await lines_of(engine, path, line)
    log = Path(on_host.Folders.of(engine.url).run) / "hooks.log"
    try:
        return shown(line.findall(log.read_bytes()))
    except OSError:
        return ()


async def lines_of(engine: Engine, path: str, line: re.Pattern[bytes]) -> tuple[str, ...]:
    try:
        response = await engine.request("GET", path)
    except EngineError:
        return ()
    return shown(line.findall(response.content))


def shown(lines: list[bytes]) -> tuple[str, ...]:
    return tuple(line.decode(errors="replace") for line in lines[-LINES:])
