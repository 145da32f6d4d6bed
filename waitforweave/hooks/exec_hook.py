"""Before containers/*/exec, where asked for: the exec waits as its container does."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import msgspec

from waitforweave.docker.create import GATE, words
from waitforweave.docker.engine import Engine, EngineError
from waitforweave.docker.json_object import (
    MalformedError,
    NotAnObjectError,
    Object,
    dump,
    parse,
    put,
)
from waitforweave.docker.paths import exec_container
from waitforweave.hooks.book import run_of
from waitforweave.hooks.process import Process, process_of
from waitforweave.hooks.protocol import ClientRequest, HookError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ExecHook:
    """No call is held open: the gate goes in front of the exec's command, and waits itself."""

    engine: Engine

    async def __call__(self, request: ClientRequest) -> ClientRequest:
        """The request as it shall reach the engine. HookError."""
        name = exec_container(request.Request)
        if name is None:
            return request
        try:
            container = await self.engine.inspect_container(name)
        except EngineError as error:
            if error.status == 404:
                return request  # The engine's own words are the better ones.
            raise HookError(error.status or 502, f"weavewait: {error}") from error
        try:
            body = parse(request.Body or "")
            command = words(body, "Cmd")
        except (NotAnObjectError, MalformedError):
            return request
        if not command or command[0] == GATE or not waits(container):
            return request
        dashes = ["--"] if command[0].startswith("-") else []
        put(body, "Cmd", [GATE, *dashes, *command])
        log.info("exec %s: held until its container is ready", run_of(container))
        return msgspec.structs.replace(request, Body=dump(body))


def waits(container: Object) -> bool:
    """Whether the gate is there, and has not become the command yet (weave#1143)."""
    run = run_of(container)
    if run is None or container.get("Path") != GATE:
        return False
    folder = GATE.rpartition("/")[0]
    if not any(mount.get("Destination") == folder for mount in container.get("Mounts") or []):
        return False
    return process_of(run.pid) is not Process.COMMAND
