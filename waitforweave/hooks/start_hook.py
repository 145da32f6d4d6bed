"""After containers/*/start and restart: the network is attached before the client hears of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from waitforweave.docker.engine import EngineError
from waitforweave.docker.paths import started_container
from waitforweave.hooks.attaching import Attacher
from waitforweave.hooks.book import Failed, run_of
from waitforweave.hooks.protocol import ClientRequest, HookError, ServerResponse

log = logging.getLogger(__name__)

STARTED = 204
# It ran already, and may have been started without us, or lost its interface since.
RAN_ALREADY = 304


@dataclass(frozen=True)
class StartHook:
    """Only here somebody waits for the answer, and a container that cannot have it is killed."""

    attacher: Attacher

    async def __call__(self, request: ClientRequest, response: ServerResponse) -> ServerResponse:
        """The engine's answer, unchanged, once the container is attached. HookError."""
        name = started_container(request.Request)
        if name is None or response.Code not in (STARTED, RAN_ALREADY):
            return response
        if self.attacher.is_over(name):
            return response
        try:
            outcome = await self.attacher.see_to(name, "start", again=response.Code == RAN_ALREADY)
        except EngineError as error:
            raise HookError(error.status or 502, f"weavewait: {error}") from error
        if isinstance(outcome, Failed):
            await self.failed(name, outcome.reason)
        return response

    async def failed(self, name: str, reason: str) -> None:
        """HookError, unless it has gone by itself meanwhile."""
        try:
            container = await self.attacher.inspect(name)
        except EngineError as error:
            raise HookError(error.status or 502, f"weavewait: {reason}; {error}") from error
        if container is None:
            return
        record = self.attacher.book.get(container["Id"])
        if record is None or run_of(container) != record.run:
            return
        shown = str(record.run)
        policy = (container["HostConfig"].get("RestartPolicy") or {}).get("Name")
        ended = await self.kill(container["Id"], policy)
        log.error("start %s: %s: %s", shown, ended, reason)
        raise HookError(500, f"weavewait: container {shown} {ended}: {reason}")

    async def kill(self, container: str, policy: str | None) -> str:
        """A container that cannot be attached shall not wait for it; one that the engine would
        start again is left to that (weave#2123)."""
        if policy not in (None, "", "no"):
            return f"left to its restart policy {policy}"
        try:
            await self.attacher.engine.kill(container)
        except EngineError as error:
            return f"could not be killed ({error})"
        return "was killed"
