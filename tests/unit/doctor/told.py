"""A container as the engine shows it, and what the hook server and the gate say of it."""

from __future__ import annotations

from typing import Any

from tests.unit.doctor.facts_of import ID
from waitforweave.docker.create import GATE
from waitforweave.doctor.story import Finding
from waitforweave.hooks.status import Row

LABELS = {"weavewait.entrypoint": "[]", "weavewait.cmd": '["sleep", "9"]'}
READY = Row(ID, "web", "ready", ["10.2.1.5/24"], ["10.2.1.5/24"], "bridge", took=0.25)
SEES = (Finding("interface ethwe", "missing", "not there (interfaces: lo)"),)


def container(
    *env: str,
    gated: bool = True,
    args: tuple[str, ...] = ("sleep", "9"),
    labels: dict[str, str] | None = None,
    mode: str = "default",
    **state: Any,
) -> dict[str, Any]:
    """As the engine shows one; running, unless `state` says otherwise."""
    return {
        "Id": ID,
        "Name": "/web",
        "Path": GATE if gated else args[0],
        "Args": list(args if gated else args[1:]),
        "State": {"Status": "running", "Running": True, "Pid": 7, **state},
        "Config": {
            "Image": "busybox",
            "Env": list(env),
            "Labels": (LABELS if gated else {}) if labels is None else labels,
        },
        "HostConfig": {"NetworkMode": mode},
    }


def row(state: Any, addresses: list[str] | None = None, reason: str = "") -> Row:
    return Row(ID, "web", state, ["10.2.1.5/24"], addresses or [], "bridge", reason=reason)
