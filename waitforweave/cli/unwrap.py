"""`weavewait unwrap`: how a gated container or image is had without its gate."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from typing import Any

import click

from waitforweave.cli.errors import told
from waitforweave.cli.options import engine_option
from waitforweave.docker.create import GATE
from waitforweave.docker.engine import Engine, EngineError
from waitforweave.docker.original import Original, recall
from waitforweave.gate import arguments
from waitforweave.gate.options import UsageError


@click.command(short_help="How a gated container or image is had without its gate.")
@engine_option
@click.argument("name", metavar="IMAGE|CONTAINER")
def command(engine: str, name: str) -> None:
    """Print what IMAGE or CONTAINER ran before it was gated, and how to have it so again.

    Changes nothing. Exit code 1 where neither is there.
    """
    with told("unwrap"):
        config, image = asyncio.run(found(engine, name))
    original = original_of(config)
    if original is None:
        click.echo(f"{name} does not begin with the gate: there is nothing to take off")
        sys.exit(0)
    if not original.entrypoint + original.cmd:
        click.echo(f"{name} is the gate alone, without a command: there is nothing to have again")
        sys.exit(0)
    click.echo(text_of(name, image, original))


async def found(url: str, name: str) -> tuple[dict[str, Any], str | None]:
    """Its Config, and the image of a container; None for an image. EngineError."""
    async with Engine(url) as engine:
        try:
            container = await engine.inspect_container(name)
        except EngineError as error:
            if error.status != 404:
                raise
        else:
            return container["Config"], container["Config"]["Image"]
        try:
            return (await engine.inspect_image(name)).get("Config") or {}, None
        except EngineError as error:
            if error.status != 404:
                raise
            raise EngineError(404, f"no container and no image {name}") from error


def original_of(config: dict[str, Any]) -> Original | None:
    """By its labels; without them what stands behind the gate and its options. None: no gate."""
    if (config.get("Entrypoint") or [""])[0] != GATE:
        return None
    rest = [*config["Entrypoint"][1:], *(config.get("Cmd") or [])]
    return recall(config.get("Labels") or {}) or Original([], behind_gate(rest))


def behind_gate(rest: list[str]) -> list[str]:
    """The command, without the options of a gate that somebody has put there himself."""
    try:
        return arguments.read_words(rest, {})
    except UsageError:
        return rest


def text_of(name: str, image: str | None, original: Original) -> str:
    """The command as a Dockerfile has it, and the words to type."""
    lines = [f"ENTRYPOINT {json.dumps(original.entrypoint)}", f"CMD {json.dumps(original.cmd)}"]
    head = f"{name} is gated. Without its gate it runs:\n\n" + "\n".join(lines)
    if image is None:
        built = "\n".join(["docker build -t NEW-NAME - <<'EOF'", f"FROM {name}", *lines, "EOF"])
        return f"{head}\n\nAn image without it:\n\n{built}"
    first, *rest = [*original.entrypoint, *original.cmd]
    run = shlex.join(["docker", "run", "--entrypoint", first, image, *rest])
    return (
        f"{head}\n\nMade anew without it, straight at the engine, with its other options:\n\n{run}"
    )
