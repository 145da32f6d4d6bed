"""What a crash has left behind, and what takes it away. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from waitforweave.attach.switch import BRIDGE
from waitforweave.docker.create import VOLUME_CONTAINER
from waitforweave.doctor.check import Check, docker, ok, problem, restarted, typed
from waitforweave.doctor.facts import Facts, Unseen
from waitforweave.doctor.probe import PREFIX
from waitforweave.launch.containers import HOOKS_CONTAINER, RUN_VOLUME, STATE_VOLUME

NAME = "leftovers"
# Of a `stop`, and of a doctor, that was killed.
PASSING = (f"{HOOKS_CONTAINER}-clean-up", PREFIX)


def leftovers(facts: Facts) -> Iterator[Check]:
    """Without the engine nobody can say what is left over."""
    if facts.engine.fault or facts.launch.fault:
        return
    found = [*links(facts), *containers(facts), *launches(facts)]
    yield from found or [ok(NAME, "none of a crash")]


def links(facts: Facts) -> Iterator[Check]:
    """Links with our mark that are nobody's. Other books may be another engine's."""
    if facts.host is None or isinstance(facts.host, Unseen):
        return
    url, launched = facts.engine.url, facts.launch.settings is not None
    todo = restarted(facts.launch, url) if launched else typed("detach --all", url)
    ours = (facts.owner,) if facts.owner else ()
    others = any(mark.container and mark.owner not in ours for _, mark in facts.host.marked)
    for name, mark in facts.host.marked:
        if mark.container:
            if mark.owner in ours and mark.container not in facts.engine.containers:
                said = (
                    f"the link {name} is of {mark.container[:12]}, which is no container any more"
                )
                yield problem(NAME, said, todo)
        elif launched and name != BRIDGE:
            yield problem(NAME, f"the link {name} is half a bridge", f"ip link del {name}")
        elif not launched and not others:
            said = (
                f"the bridge {name} is there, and nothing is launched (fine, if you attach by hand)"
            )
            yield problem(NAME, said, todo)


def containers(facts: Facts) -> Iterator[Check]:
    """Ours that are meant to be there for a moment only."""
    for name in facts.engine.containers.values():
        if name.startswith(PASSING):
            todo = docker(f"rm -f -v {name}", facts.engine.url)
            yield problem(NAME, f"the container {name} is there", todo)


def launches(facts: Facts) -> Iterator[Check]:
    """What a launch has, without a launch."""
    if facts.launch.settings is not None:
        return
    todo = typed("stop", facts.engine.url)
    for volume in facts.engine.volumes:
        if volume in (RUN_VOLUME, STATE_VOLUME):
            yield problem(NAME, f"the volume {volume} is there, and nothing is launched", todo)
    if VOLUME_CONTAINER in facts.engine.containers.values():
        said = f"the container {VOLUME_CONTAINER} is there, and nothing is launched"
        yield problem(NAME, said, f"{todo}, unless your own proxy needs it")
    for folder in facts.folders:
        yield problem(
            NAME, f"the folder {folder} is there, and nothing is launched", f"rm -r {folder}"
        )
