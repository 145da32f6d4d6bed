"""Options of the gate for one container: `weavewait.timeout=60` as a label. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from waitforweave.docker.create import effective_command, strings
from waitforweave.docker.env import effective
from waitforweave.docker.json_object import Object, put
from waitforweave.docker.original import CMD_LABEL, ENTRYPOINT_LABEL, labels_of
from waitforweave.gate import arguments
from waitforweave.gate.options import UsageError
from waitforweave.gate.weave_cidr import quote

PREFIX = "weavewait."
# Ours: what was run before, and which launch made a part of itself.
RESERVED = {ENTRYPOINT_LABEL, CMD_LABEL, "weavewait.launch"}
NAMES = tuple(
    name for name in (*arguments.WITH_VALUE, *arguments.SWITCHES) if name not in arguments.ACTIONS
)


class LabelError(Exception):
    """A label that names no option, or has a value that this option cannot have."""


def apply(body: Object, image: Object) -> None:
    """Add the variables that the labels stand for to the body's Env, in place. The container's
    own variables are nearer than labels, and the image's are not. LabelError; MalformedError."""
    labels = {**labels_of(image), **labels_of(body)}
    asked = {
        key.removeprefix(PREFIX): value
        for key, value in sorted(labels.items())
        if key.startswith(PREFIX) and key not in RESERVED
    }
    if not asked:
        return
    own = strings(body, "Env") or []
    names = {entry.partition("=")[0] for entry in own}
    added = [
        f"{arguments.variable(name)}={value}"
        for name, value in asked.items()
        if known(name) and arguments.variable(name) not in names
    ]
    values = effective(strings(image, "Env") or [], [*own, *added])
    validate(values, effective_command(body, image))
    put(body, "Env", [*own, *added])


def known(name: str) -> bool:
    """True, or LabelError."""
    if name not in NAMES:
        allowed = ", ".join(PREFIX + each for each in NAMES)
        raise LabelError(f'label "{quote(PREFIX + name)}" is unknown; allowed: {allowed}')
    return True


def validate(values: Mapping[str, str], command: list[str]) -> None:
    """The gate's own words about these variables, with the label's name in it. LabelError."""
    environ = {
        key.encode(errors="surrogatepass"): value.encode(errors="surrogatepass")
        for key, value in values.items()
    }
    try:
        arguments.read(["--", *command], environ)
    except UsageError as error:
        message = str(error)
        for name in NAMES:
            message = message.replace(arguments.variable(name) + ":", f"label {PREFIX}{name}:")
        raise LabelError(message) from error
