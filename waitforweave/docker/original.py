"""The command that a container or image had before it was gated: kept as labels. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from waitforweave.docker.create import GATE, effective_parts, words
from waitforweave.docker.json_object import Object, put, read

# An image that is committed from a container takes its labels along.
ENTRYPOINT_LABEL = "weavewait.entrypoint"
CMD_LABEL = "weavewait.cmd"


@dataclass(frozen=True)
class Original:
    """Entrypoint and Cmd as the engine would have run them."""

    entrypoint: list[str]
    cmd: list[str]


def labels_of(value: Object) -> dict[str, str]:
    """The labels of a body or of an image's Config. MalformedError."""
    found: dict[str, str | None] | None = read(value, "Labels", dict[str, str | None] | None)
    return {key: text or "" for key, text in (found or {}).items()}


def remember(body: Object, original: Original) -> None:
    """Write it onto a body. MalformedError."""
    labels = labels_of(body)
    labels[ENTRYPOINT_LABEL] = json.dumps(original.entrypoint)
    labels[CMD_LABEL] = json.dumps(original.cmd)
    put(body, "Labels", labels)


def recall(labels: Mapping[str, str]) -> Original | None:
    """What `remember` wrote; None where there is nothing, or what is no list of words."""
    entrypoint, cmd = word_list(labels.get(ENTRYPOINT_LABEL)), word_list(labels.get(CMD_LABEL))
    if entrypoint is None or cmd is None or not entrypoint + cmd:
        return None
    return Original(entrypoint, cmd)


def word_list(text: str | None) -> list[str] | None:
    try:
        value = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return value
    return None


def without_gate(image: Object) -> Object:
    """An image's Config as it was before a gated container was committed to it; others as they
    are. MalformedError."""
    if words(image, "Entrypoint") != [GATE]:
        return image
    original = recall(labels_of(image))
    if original is None:
        return image
    return {**image, "Entrypoint": original.entrypoint, "Cmd": original.cmd}


def restore(body: Object, plain: Object) -> None:
    """Let a body run what it would with the image as it was, in place. MalformedError."""
    entrypoint, cmd = effective_parts(body, plain)
    put(body, "Entrypoint", entrypoint or [""])
    put(body, "Cmd", cmd)


def is_wrapped(container: Object) -> bool:
    """Whether an inspected container begins with a gate that we put there."""
    labels = container["Config"].get("Labels") or {}
    return container.get("Path") == GATE and recall(labels) is not None
