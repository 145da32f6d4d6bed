"""`weavewait doctor`: what is wrong, and what to do about it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict

import click

from waitforweave.cli.errors import told
from waitforweave.cli.options import engine_option
from waitforweave.cli.status import aligned
from waitforweave.cli.tls_options import EngineTls, context_for, engine_tls_options
from waitforweave.doctor.check import Check
from waitforweave.doctor.checks import checks
from waitforweave.doctor.gather import gather


@click.command(short_help="What is wrong with engine, launch or host, and what to do.")
@engine_option
@engine_tls_options
@click.option("--json", "as_json", is_flag=True, help="All of it as one JSON object.")
def command(engine: str, tls: EngineTls, as_json: bool) -> None:
    """Look at all that gated containers need, and say of each whether it is ok, and what to do.

    Changes nothing; the gate is tried in a container of its own, which goes again. What cannot
    be seen is said. Exit code 0: no problem; 1: at least one.
    """
    context = context_for(tls, engine)
    with told("doctor"):
        found = checks(asyncio.run(gather(engine, context, os.environ)))
    click.echo(json_of(found) if as_json else text_of(found))
    sys.exit(0 if good(found) else 1)


def good(found: Iterable[Check]) -> bool:
    return all(check.state != "problem" for check in found)


def json_of(found: list[Check]) -> str:
    value = {"good": good(found), "checks": [asdict(check) for check in found]}
    # DOCKER_HOST may hold anything: what is no UTF-8 there is an escape of JSON's.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="backslashreplace").decode()


def text_of(found: list[Check]) -> str:
    """A line each, and under a problem what to do."""
    return "\n".join(aligned([row for check in found for row in rows_of(check)]))


def rows_of(check: Check) -> Iterator[tuple[str, ...]]:
    yield check.state, check.name, check.said
    if check.todo:
        yield "", "", f"do: {check.todo}"
