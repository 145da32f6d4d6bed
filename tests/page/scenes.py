"""Containers as the engine shows them, and what becomes of them: steps for Stage.do."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from waitforweave.docker.create import GATE
from waitforweave.docker.original import CMD_LABEL, ENTRYPOINT_LABEL
from waitforweave.hooks.book import Attached, Attaching, Failed, Record, Run, State, run_of
from waitforweave.hooks.live import Live
from waitforweave.hooks.process import Process

Step = Callable[[Live], None]


class Clock:
    """The server's: what the test sets, or the time."""

    def __init__(self, at: float | None = None) -> None:
        self.at = at

    def __call__(self) -> float:
        return time.time() if self.at is None else self.at


def id_of(name: str) -> str:
    return name.encode().hex().ljust(64, "0")[:64]


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def container(
    name: str, started: float, *env: str, gated: bool = True, pid: int = 1 << 30
) -> dict[str, Any]:
    """What inspect says; no process has this pid."""
    labels = {ENTRYPOINT_LABEL: "[]", CMD_LABEL: json.dumps(["sleep"])} if gated else {}
    return {
        "Id": id_of(name),
        "Name": f"/{name}",
        "Created": stamp(started - 0.21),
        "Path": GATE if gated else "sleep",
        "Args": ["sleep", "99"],
        "State": {"Running": True, "Pid": pid, "StartedAt": stamp(started)},
        "Config": {"Env": [*env], "Labels": labels},
        "HostConfig": {"NetworkMode": "default"},
    }


def run_named(name: str, started: float, pid: int = 1 << 30) -> Run:
    run = run_of(container(name, started, pid=pid))
    assert run is not None
    return run


def begin(name: str, started: float, cidr: str, *env: str, gated: bool = True) -> Step:
    """It has started, and its process is the gate if it has one."""
    shown = container(name, started, f"WEAVE_CIDR={cidr}", *env, gated=gated)
    run = run_named(name, started)

    def step(live: Live) -> None:
        live.timeline.begin(shown, run, [cidr])
        if gated:
            live.timeline.see(run.id, Process.GATE)

    return step


def note(name: str, started: float, state: State) -> Step:
    record = Record(run_named(name, started), state, started)
    return lambda live: live.note(record.run.id, record)


def attaching(name: str, started: float) -> Step:
    return note(name, started, Attaching(started))


def attached(name: str, started: float, *addresses: str, at: float | None = None) -> Step:
    return note(name, started, Attached(addresses, started + 0.184 if at is None else at))


def failed(name: str, started: float, reason: str, *, again: float | None = None) -> Step:
    return note(name, started, Failed(reason, started + 0.02, again))


def ready(name: str, at: float) -> Step:
    """Its process was seen to be the command then."""

    def step(live: Live) -> None:
        assert isinstance(live.clock, Clock)
        before, live.clock.at = live.clock.at, at
        live.timeline.see(id_of(name), Process.COMMAND)
        live.clock.at = before

    return step


def ended(name: str, at: float, code: int) -> Step:
    return lambda live: live.end(id_of(name), at, code)


def removed(name: str) -> Step:
    return lambda live: live.remove(id_of(name))
