"""After containers/*/start and restart: the network is attached before the client hears of it."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from waitforweave.attach.backend import AttachError, Backend, Container
from waitforweave.docker.create import Gated, LeftAlone, decide_inspected
from waitforweave.docker.engine import Engine, EngineError
from waitforweave.docker.json_object import Object
from waitforweave.docker.paths import started_container
from waitforweave.gate.weave_cidr import Wanted, WeaveCidrError
from waitforweave.hooks.protocol import ClientRequest, HookError, ServerResponse

log = logging.getLogger(__name__)

ATTACH_SECONDS = 30.0
# 204: started; 304: it ran already, and may have been started without us.
STARTED = (204, 304)
# No attach waits for another's (weave#2032), nor for one that hangs.
ATTACHES_AT_ONCE = 64


@dataclass(frozen=True)
class StartHook:
    engine: Engine
    backend: Backend
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(ATTACHES_AT_ONCE))

    async def __call__(self, request: ClientRequest, response: ServerResponse) -> ServerResponse:
        """The engine's answer, unchanged, once the container is attached. HookError."""
        name = started_container(request.Request)
        if name is None or response.Code not in STARTED:
            return response
        container = await self.inspect(name)
        if container is None or not pid_of(container):
            log.info("start %s: it has ended by itself", name)
            return response
        try:
            decision = decide_inspected(container)
        except WeaveCidrError as error:
            # Made past the proxy, or create would have refused it.
            decision = LeftAlone(str(error))
        if isinstance(decision, Gated):
            await self.attach(container, decision.wanted)
        else:
            log.info("start %s: left alone: %s", shown(container), decision.reason)
        return response

    async def inspect(self, name: str) -> Object | None:
        """None for a container that is gone: --rm, and it ended by itself. HookError."""
        try:
            return await self.engine.inspect_container(name)
        except EngineError as error:
            if error.status == 404:
                return None
            raise HookError(error.status or 502, f"weavewait: {error}") from error

    async def attach(self, container: Object, wanted: tuple[Wanted, ...]) -> None:
        target = Container(container["Id"], pid_of(container))
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ATTACH_SECONDS):
                # Given up, it goes on in its thread: into a namespace that ends with the
                # container that was killed, and takes all that is in it along.
                addresses = await loop.run_in_executor(
                    self.pool, self.backend.attach, target, wanted
                )
        except AttachError as error:
            await self.failed(container, str(error))
        except TimeoutError:
            await self.failed(container, f"not attached after {ATTACH_SECONDS:.0f} s")
        else:
            log.info("start %s: attached %s", shown(container), " ".join(addresses))

    async def failed(self, container: Object, reason: str) -> None:
        """HookError, unless the container has ended meanwhile, which is no failure (weave#812).

        Another pid is another run of it: whoever started that one is told of that one's attach.
        """
        now = await self.inspect(container["Id"])
        if now is None or pid_of(now) != pid_of(container):
            log.info("start %s: it ended before it was attached: %s", shown(container), reason)
            return
        ended = await self.kill(container)
        log.error("start %s: not attached, %s: %s", shown(container), ended, reason)
        raise HookError(500, f"weavewait: container {shown(container)} {ended}: {reason}")

    async def kill(self, container: Object) -> str:
        """A container that cannot be attached shall not wait for it; one that the engine would
        start again is left to that (weave#2123)."""
        policy = (container["HostConfig"].get("RestartPolicy") or {}).get("Name")
        if policy not in (None, "", "no"):
            return f"left to its restart policy {policy}"
        try:
            await self.engine.kill(container["Id"])
        except EngineError as error:
            return f"could not be killed ({error})"
        return "was killed"


def pid_of(container: Object) -> int:
    """Of its first process; 0 for a container that does not run. One that is between two runs of
    its restart policy is "Running" for the engine, but has no process."""
    pid: int = container["State"].get("Pid") or 0
    return pid


def shown(container: Object) -> str:
    """Name and short id, as `docker ps` shows them."""
    return f"{container['Name'].lstrip('/')} ({container['Id'][:12]})"
