"""Before containers/create: the gate goes in front of the container's own command."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import msgspec
from prometheus_client import Counter

from waitforweave.docker import create, gate_labels, volume_container
from waitforweave.docker.create import VOLUME_CONTAINER, LeftAlone
from waitforweave.docker.engine import Engine, EngineError
from waitforweave.docker.gate_labels import LabelError
from waitforweave.docker.json_object import (
    MalformedError,
    NotAnObjectError,
    Object,
    dump,
    get,
    parse,
)
from waitforweave.docker.original import Original, remember, restore, without_gate
from waitforweave.gate.weave_cidr import Wanted, WeaveCidrError
from waitforweave.hooks.options import Options
from waitforweave.hooks.protocol import ClientRequest, HookError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CreateHook:
    """`creates` counts what came of them."""

    engine: Engine
    options: Options
    creates: Counter

    async def __call__(self, request: ClientRequest) -> ClientRequest:
        """`changed`, and counted. HookError."""
        result = "refused"
        try:
            changed = await self.changed(request)
            result = "left_alone" if changed is request else "wrapped"
        finally:
            self.creates.labels(result).inc()
        return changed

    async def changed(self, request: ClientRequest) -> ClientRequest:
        """The request as it shall reach the engine; unchanged byte for byte where it is none of
        ours. HookError."""
        try:
            body = parse(request.Body or "")
            image = await self.image_config(body)
            done = await self.gate(body, image)
        except Untouched as left:
            log.info("create %s: left alone: %s", described(request), left)
            return request
        except (NotAnObjectError, MalformedError) as error:
            log.info("create %s: left for the engine to refuse: %s", described(request), error)
            return request
        except (WeaveCidrError, LabelError) as error:
            raise HookError(400, f"weavewait: {error}") from error
        log.info("create %s: %s", described(request), done)
        return msgspec.structs.replace(request, Body=dump(body))

    async def gate(self, body: Object, image: Object) -> str:
        """Put the gate into the body, or take it off; what was done. Untouched; HookError;
        WeaveCidrError; LabelError; MalformedError."""
        decision = create.decide_create(body, image, everything=self.options.gate_all)
        plain = without_gate(image)
        if isinstance(decision, LeftAlone):
            if plain is not image and create.effective_command(body, image)[:1] == [create.GATE]:
                restore(body, plain)
                return f"the gate of its image taken off: {decision.reason}"
            if decision != create.NOT_NAMED and create.unwrap(body, image):
                return f"the gate of its image taken off: {decision.reason}"
            raise Untouched(decision.reason)
        original = Original(*create.effective_parts(body, plain))
        if not original.entrypoint + original.cmd:
            raise Untouched("no command, as the engine will say")
        gated_already = (original.entrypoint + original.cmd)[0] == create.GATE
        if not gated_already:
            gate_labels.apply(body, plain)
            remember(body, original)
        changed = create.wrap(body, plain)
        await self.require_volume_container()
        if not changed:
            raise Untouched("gated already")
        return f"gated until {shown(decision.wanted)} is there"

    async def image_config(self, body: Object) -> Object:
        """The image's Config. Untouched where the engine's own answer is the better one."""
        name = get(body, "Image")
        if not name:
            # The engine makes a container of nothing but mounts then.
            return {}
        if not isinstance(name, str):
            raise MalformedError("Image: not a string")
        try:
            image = await self.engine.inspect_image(name)
        except EngineError as error:
            # Not there: the client gets the engine's own 404, pulls, and comes again (weave#967).
            # No name of an image: the engine's own 400.
            if error.status in (400, 404):
                raise Untouched(f"image {name}: {error}") from error
            raise HookError(error.status or 502, f"weavewait: image {name}: {error}") from error
        if image.get("Os") == "windows":
            raise Untouched("a Windows image")
        config: Object = image.get("Config") or {}
        return config

    async def require_volume_container(self) -> None:
        """Bring the volume container back if it was pruned (weave#2454, #3572). HookError."""
        try:
            if not await volume_container.is_there(self.engine):
                await self.make_volume_container()
        except EngineError as error:
            raise HookError(error.status or 502, f"weavewait: {error}") from error

    async def make_volume_container(self) -> None:
        """HookError; EngineError."""
        try:
            await volume_container.make(self.engine, {"Image": self.options.volume_image})
        except EngineError as error:
            if error.status == 409:  # Somebody else brings it back.
                await volume_container.await_it(self.engine)
                return
            raise HookError(
                500,
                f"weavewait: the volume container {VOLUME_CONTAINER} is gone, and cannot be made "
                f"again from {self.options.volume_image}: {error}; build the image (make image)",
            ) from error
        log.warning("the volume container %s was gone: made again", VOLUME_CONTAINER)


class Untouched(Exception):  # noqa: N818 - an outcome, not an error
    """The request goes on as it came; the message is the reason, for the log."""


def described(request: ClientRequest) -> str:
    """The container's name, if the client gave one; quoted, since it may be anything."""
    names = parse_qs(urlsplit(request.Request).query).get("name")
    return ascii(names[0]) if names else "(unnamed)"


def shown(wanted: tuple[Wanted, ...]) -> str:
    return " ".join(word.text for word in wanted)
