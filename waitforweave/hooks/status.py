"""What `weavewait status` shows of each gated container: GET /v1/status."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Literal

import msgspec
from msgspec.structs import replace

from waitforweave.attach import netns
from waitforweave.attach.backend import AttachError, Container
from waitforweave.attach.check import addresses_inside
from waitforweave.docker.create import GATE, Gated
from waitforweave.docker.json_object import Object
from waitforweave.hooks.attaching import Attacher, decide
from waitforweave.hooks.book import Attached, Failed, Record, run_of
from waitforweave.hooks.process import Process, process_of, seconds


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """One container. Times are seconds since 1970; `took` is from its start until it was attached,
    as far as this server saw it."""

    id: str
    name: str
    state: Literal["waiting", "ready", "failed", "stopped", "unknown"]
    promised: list[str] = []
    addresses: list[str] = []
    backend: str = ""
    since: float | None = None
    took: float | None = None
    reason: str = ""
    retries: int = 0
    again: float | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """GET /v1/status: the containers, and of the server itself its version (an old one did not
    say) and whether it follows the engine's events."""

    containers: list[Row]
    version: str = ""
    following: bool = True


async def rows(attacher: Attacher, backend: str) -> list[Row]:
    """All gated containers, and those that are attached without a gate, by name. EngineError."""
    found = (await attacher.engine.request("GET", "/containers/json?all=1")).json()
    recorded = {record.run.id for record in attacher.book}
    ours = [
        each["Id"]
        for each in found
        if each["Id"] in recorded or each.get("Command", "").split(" ", 1)[0] == GATE
    ]
    shown = await asyncio.gather(*[one(attacher, backend, container) for container in ours])
    return sorted((row for row in shown if row is not None), key=lambda row: row.name)


async def one(attacher: Attacher, backend: str, identity: str) -> Row | None:
    """None for one that was removed meanwhile. EngineError."""
    async with attacher.threads.asked:
        container = await attacher.inspect(identity)
    if container is None:
        return None
    run = run_of(container)
    process, there = Process.UNSEEN, tuple[str, ...]()
    if run is not None:
        process = process_of(run.pid)
        there = await attacher.threads.look(partial(inside, Container(run.id, run.pid)))
    return row(container, attacher.book.get(identity), process, there, backend)


def row(
    container: Object,
    record: Record | None,
    process: Process,
    there: tuple[str, ...],
    backend: str,
) -> Row:
    """What these facts say together. Pure."""
    run = run_of(container)
    decision = decide(container)
    promised = [word.text for word in decision.wanted] if isinstance(decision, Gated) else []
    head = Row(container["Id"], container["Name"].lstrip("/"), "stopped", promised, backend=backend)
    if run is None:
        code = container["State"].get("ExitCode")
        return replace(head, reason=f"exit code {code}")
    known = record if record is not None and record.run == run else None
    started = seconds(run.started)
    retries = known.retries if known else 0
    head = replace(head, addresses=list(there), since=started, retries=retries)
    state = known.state if known else None
    if isinstance(state, Failed) and (process is not Process.COMMAND or not there):
        return replace(head, state="failed", reason=state.reason, again=state.again)
    if process is Process.COMMAND:
        took = None
        if isinstance(state, Attached) and not state.late and started is not None:
            took = state.at - started
        return replace(head, state="ready", took=took)
    if process is Process.GATE:
        return replace(head, state="waiting")
    return replace(head, state="unknown", reason="its process cannot be seen")


def inside(container: Container) -> tuple[str, ...]:
    """The addresses on its `ethwe`; () where there is none, or nobody may look."""
    try:
        with netns.held(container) as namespace:
            return tuple(map(str, netns.run_inside(namespace, addresses_inside)))
    except (AttachError, OSError):
        return ()
