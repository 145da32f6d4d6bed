"""The engine's rules of `containers/create`, and how the gate is put before a command. Pure.

The words "body" and "image" stand for the request's JSON object and for the `Config` of the
image that it names, as `docker image inspect` gives it. All of it was compared with the engine
itself, cell by cell: tests/docker/hooks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from waitforweave.docker.env import effective
from waitforweave.docker.json_object import MalformedError, Object, get, get_object, put
from waitforweave.gate.weave_cidr import Wanted, WeaveCidrError, parse, quote

GATE = "/home/weavewait/wait-for-weave"
VOLUME_CONTAINER = "weavewait"
# Read-only, or any container could change what every later one runs first (weave#1206).
VOLUMES_FROM = f"{VOLUME_CONTAINER}:ro"
VARIABLE = "WEAVE_CIDR"
# Each is an address that is claimed, added, and named in a line of the log.
MOST_WORDS = 256


@dataclass(frozen=True)
class LeftAlone:
    """This container is none of ours, and why."""

    reason: str


NOT_NAMED = LeftAlone(f"no {VARIABLE}")


@dataclass(frozen=True)
class Gated:
    """This container waits for these addresses."""

    wanted: tuple[Wanted, ...]


Decision = LeftAlone | Gated


def decide(
    env: Iterable[str], image_env: Iterable[str], network_mode: str, *, everything: bool = False
) -> Decision:
    """Whether a container is gated; create and start ask this same question.

    `everything`: also one without WEAVE_CIDR, if it has a network at all. An inspected container's
    own Env holds its image's already: `image_env` is () then. Raises WeaveCidrError for a
    WEAVE_CIDR that makes no sense.
    """
    value = effective(image_env, env).get(VARIABLE)
    if value is None:
        if not everything:
            return NOT_NAMED
        if network_mode == "none":
            return LeftAlone("network mode none")
        value = ""
    # The namespace is the host's or another container's: an interface put there is not ours.
    if network_mode == "host" or network_mode.startswith(("container:", "service:")):
        return LeftAlone(f"network mode {quote(network_mode)}")
    wanted = parse(value)
    if len(wanted) > MOST_WORDS:
        raise WeaveCidrError(value, f"are {len(wanted)} words; allowed: at most {MOST_WORDS}")
    return Gated(wanted) if wanted else LeftAlone(f"{VARIABLE}={value.strip()}")


def decide_create(body: Object, image: Object, *, everything: bool = False) -> Decision:
    """`decide` for a request and its image. WeaveCidrError; MalformedError."""
    mode = get(get_object(body, "HostConfig"), "NetworkMode") or ""
    if not isinstance(mode, str):
        raise MalformedError("NetworkMode: not a string")
    env, image_env = strings(body, "Env") or [], strings(image, "Env") or []
    return decide(env, image_env, mode, everything=everything)


def decide_inspected(container: Object, *, wrapped: bool = False) -> Decision:
    """`decide` for a container as the engine shows it; one that we have `wrapped` waits for an
    address, whatever this server gates. WeaveCidrError."""
    mode = container["HostConfig"].get("NetworkMode") or ""
    return decide(container["Config"].get("Env") or [], (), mode, everything=wrapped)


def words(value: Object, name: str) -> list[str] | None:
    """Entrypoint or Cmd: as `strings`; but a string is one word, not split, as very old clients
    send it (moby: api/types/strslice). MalformedError."""
    found = get(value, name)
    return [found] if isinstance(found, str) else strings(value, name)


def strings(value: Object, name: str) -> list[str] | None:
    """A list of strings: None for absent or null, [] for []; null in it is "", as Go reads it.
    MalformedError."""
    found = get(value, name)
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(word, str | None) for word in found):
        raise MalformedError(f"{name}: not a list of strings")
    return [word or "" for word in found]


def effective_command(body: Object, image: Object) -> list[str]:
    """What the engine would run: Entrypoint + Cmd; [] where it says "no command specified".
    MalformedError."""
    entrypoint, cmd = effective_parts(body, image)
    return entrypoint + cmd


def effective_parts(body: Object, image: Object) -> tuple[list[str], list[str]]:
    """Entrypoint and Cmd of what the engine would run. MalformedError.

    moby: daemon/commit.go `merge`, daemon/create.go `verifyContainerSettings`. absent, null, []
    and [""] are four different inputs (podman#26230, moby#37865).
    """
    entrypoint, cmd = words(body, "Entrypoint"), words(body, "Cmd")
    if not entrypoint:
        if not cmd:
            cmd = words(image, "Cmd")
        if entrypoint is None:
            entrypoint = words(image, "Entrypoint")
    if entrypoint == [""]:
        entrypoint = []
    return entrypoint or [], cmd or []


def wrap(body: Object, image: Object) -> bool:
    """Put the gate before the body's command, in place; whether anything was changed.

    A command that begins with the gate already is not given a second one, also where it comes
    from an image that was committed from a gated container (weave#979). MalformedError.
    """
    command = effective_command(body, image)
    if not command:
        return False
    changed = add_volume(body)
    if command[0] == GATE:
        return changed
    # What begins with "-" would be an option of the gate's.
    dashes = ["--"] if command[0].startswith("-") else []
    put(body, "Entrypoint", [GATE])
    put(body, "Cmd", dashes + command)
    return True


def unwrap(body: Object, image: Object) -> bool:
    """Take off the gate that an image brings which was committed from a gated container, in place;
    whether there was one. In a container that is left alone it would not be there (weave#979).

    Only as `wrap` put it: with an option of its own it is somebody's. MalformedError.
    """
    gate, *rest = effective_command(body, image) or [""]
    if rest[:1] == ["--"]:
        rest = rest[1:]
    elif rest and rest[0].startswith("-"):
        return False
    if gate != GATE or not rest:
        return False
    put(body, "Entrypoint", rest[:1])
    put(body, "Cmd", rest[1:])
    return True


def add_volume(body: Object) -> bool:
    """Name the volume container in HostConfig.VolumesFrom, unless it stands there; whether it
    did not. MalformedError."""
    host = get_object(body, "HostConfig")
    volumes = strings(host, "VolumesFrom") or []
    if any(entry.split(":", 1)[0] == VOLUME_CONTAINER for entry in volumes):
        return False
    put(host, "VolumesFrom", [*volumes, VOLUMES_FROM])
    put(body, "HostConfig", host)
    return True
