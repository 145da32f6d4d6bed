"""Before containers/create: the gate goes in front of the container's own command."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import msgspec

from waitforweave.docker import create
from waitforweave.docker.create import VOLUME_CONTAINER, LeftAlone, MalformedError
from waitforweave.docker.engine import Engine, EngineError
from waitforweave.docker.json_object import NotAnObjectError, Object, dump, get, parse
from waitforweave.gate.weave_cidr import WeaveCidrError
from waitforweave.hooks.protocol import ClientRequest, HookError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CreateHook:
    """`volume_image` is what the volume container is made from, should it have gone."""

    engine: Engine
    volume_image: str

    async def __call__(self, request: ClientRequest) -> ClientRequest:
        """The request as it shall reach the engine; unchanged byte for byte where it is none of
        ours. HookError."""
        try:
            body = parse(request.Body or "")
            image = await self.image_config(body)
            decision = create.decide_create(body, image)
        except WeaveCidrError as error:
            raise HookError(400, f"weavewait: {error}") from error
        except Untouched as left:
            return passed_on(request, left.reason)
        except NotAnObjectError as error:
            return passed_on(request, f"the body is for the engine to refuse: {error}")
        except MalformedError as error:
            return passed_on(request, f"{error} is for the engine to refuse")
        if isinstance(decision, LeftAlone):
            return passed_on(request, decision.reason)
        return await self.gated(request, body, image)

    async def gated(self, request: ClientRequest, body: Object, image: Object) -> ClientRequest:
        try:
            changed = create.wrap(body, image)
        except MalformedError as error:
            return passed_on(request, f"{error} is for the engine to refuse")
        if not changed:
            return passed_on(request, "no command, or gated already")
        await self.require_volume_container()
        log.info("create %s: gated", described(request))
        return msgspec.structs.replace(request, Body=dump(body))

    async def image_config(self, body: Object) -> Object:
        """The image's Config. Untouched where the engine's own answer is the better one."""
        name = get(body, "Image")
        if not isinstance(name, str) or not name:
            raise Untouched("no image is named")
        try:
            image = await self.engine.inspect_image(name)
        except EngineError as error:
            if error.status == 404:
                # The client gets the engine's own 404, pulls, and comes again (weave#967).
                raise Untouched("the image is not there") from error
            raise HookError(error.status or 502, f"weavewait: image {name}: {error}") from error
        if image.get("Os") == "windows":
            raise Untouched("a Windows image")
        config: Object = image.get("Config") or {}
        return config

    async def require_volume_container(self) -> None:
        """Bring the volume container back if it was pruned (weave#2454, #3572). HookError."""
        try:
            await self.engine.inspect_container(VOLUME_CONTAINER)
        except EngineError as error:
            if error.status != 404:
                raise HookError(error.status or 502, f"weavewait: {error}") from error
            await self.make_volume_container()

    async def make_volume_container(self) -> None:
        path = f"/containers/create?name={VOLUME_CONTAINER}"
        try:
            await self.engine.request("POST", path, json={"Image": self.volume_image})
        except EngineError as error:
            if error.status == 409:  # Somebody else brought it back meanwhile.
                return
            raise HookError(
                500,
                f"weavewait: the volume container {VOLUME_CONTAINER} is gone, and cannot be made "
                f"again from {self.volume_image}: {error}; build the image (make image)",
            ) from error
        log.warning("the volume container %s was gone: made again", VOLUME_CONTAINER)


class Untouched(Exception):  # noqa: N818 - an outcome, not an error
    """The request goes on as it came; `reason` is for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def passed_on(request: ClientRequest, reason: str) -> ClientRequest:
    log.info("create %s: left alone: %s", described(request), reason)
    return request


def described(request: ClientRequest) -> str:
    """The container's name, if the client gave one; quoted, since it may be anything."""
    names = parse_qs(urlsplit(request.Request).query).get("name")
    return repr(names[0]) if names else "(unnamed)"
