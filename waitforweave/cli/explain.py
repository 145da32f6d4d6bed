"""`weavewait explain`: why a container is gated or not, and what it waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import asdict

import click
import msgspec

from waitforweave.cli.errors import told
from waitforweave.cli.options import engine_option
from waitforweave.cli.status import aligned
from waitforweave.cli.tls_options import EngineTls, context_for, engine_tls_options
from waitforweave.doctor.explain import Explanation, explain
from waitforweave.doctor.look import look


@click.command(short_help="Why a container is gated or not, and what it waits for.")
@engine_option
@engine_tls_options
@click.option("--json", "as_json", is_flag=True, help="All of it as one JSON object.")
@click.argument("container")
def command(engine: str, tls: EngineTls, as_json: bool, container: str) -> None:
    """Say why CONTAINER is gated or not, what it was given, what its gate waits for and sees now,
    and what to do next. Changes nothing, and runs nothing in CONTAINER.

    Exit code 1 where there is no such container.
    """
    context = context_for(tls, engine)
    with told("explain"):
        found = explain(asyncio.run(look(engine, context, container)), engine)
    click.echo(msgspec.json.encode(asdict(found)).decode() if as_json else text_of(found))


def text_of(found: Explanation) -> str:
    return "\n".join(aligned(list(rows_of(found))))


def rows_of(found: Explanation) -> Iterator[tuple[str, ...]]:
    """Two columns; what nothing is known of has no line."""
    yield "container", f"{found.name} ({found.id[:12]}), image {found.image}: {found.state}"
    yield "gated", f"{'yes' if found.gated else 'no'}: {found.why}"
    for heading, lines in (
        ("waits for", found.waits_for),
        ("options", found.options),
        ("attached", [found.attached] if found.attached else []),
        ("now", [found.now] if found.now else []),
        ("log", found.log),
        ("do", found.todo),
    ):
        for number, line in enumerate(lines):
            yield heading if number == 0 else "", line
