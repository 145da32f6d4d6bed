"""Who has an address that was refused: backends know ids, people know names."""

from __future__ import annotations

import re

from waitforweave.docker.engine import Engine, EngineError

# Weave's words for it, and those of our own backends.
HOLDER = re.compile(r"\balready (?:in use|owned) by ([0-9a-f]{12,64})\b")


async def name_holder(engine: Engine, refusal: str) -> str:
    """The refusal with the holder's name before its id, where the engine knows one."""
    found = HOLDER.search(refusal)
    if found is None:
        return refusal
    try:
        holder = await engine.inspect_container(found[1])
    except EngineError:
        return refusal
    start, end = found.span(1)
    return f"{refusal[:start]}{holder['Name'].lstrip('/')} ({found[1][:12]}){refusal[end:]}"


async def holder_has_ended(engine: Engine, refusal: str) -> bool:
    """Whether the refusal's holder runs no more, by the engine's word: a link goes a moment after
    its container's processes, when the kernel takes the namespace down (cleanup_net), and podman
    says that a container has ended before it begins to."""
    found = HOLDER.search(refusal)
    if found is None:
        return False
    try:
        holder = await engine.inspect_container(found[1])
    except EngineError as error:
        return error.status == 404
    return not holder["State"].get("Pid")
