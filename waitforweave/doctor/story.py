"""What is known of one container: values, and no opinion."""

from __future__ import annotations

from dataclasses import dataclass, field

from waitforweave.docker.json_object import Object
from waitforweave.doctor.facts import Launch, Unseen
from waitforweave.hooks.status import Row


@dataclass(frozen=True)
class Finding:
    """One thing that the gate asks for, in its own words: `state` is ready, missing, hopeless."""

    what: str
    state: str
    found: str


@dataclass(frozen=True)
class Story:
    """`container` and `image_env` as the engine shows them (None: the image is gone); `row` is
    what the hook server says of it, None where it has nothing to say."""

    container: Object
    image_env: tuple[str, ...] | None
    launch: Launch
    row: Row | Unseen | None = None
    # What its gate says in its network; in one with nothing in it, where it does not run.
    findings: tuple[Finding, ...] | Unseen = ()
    # The gate's own lines in the container's log, and the hook server's about it.
    gate_log: tuple[str, ...] = ()
    hooks_log: tuple[str, ...] = field(default=())
