"""`weavewait status`: what of a launch is there, and how each gated container is doing."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import asdict, dataclass

import click
import msgspec
from rich.live import Live
from rich.text import Text

from waitforweave.cli.errors import term_as_interrupt, told
from waitforweave.cli.options import URL, engine_option
from waitforweave.docker.engine import Engine, EngineError
from waitforweave.hooks.status import Answer, Row
from waitforweave.launch import steps
from waitforweave.launch.asking import ask, status_of
from waitforweave.launch.settings import LaunchError

WATCH_SECONDS = 1.0
HEADINGS = ("NAME", "STATE", "PROMISED", "THERE", "BACKEND", "RETRIES")


@dataclass(frozen=True)
class Seen:
    """One look: the parts of the launch, and what the server says; `fault` is why it does not."""

    parts: list[steps.Part]
    answer: Answer
    fault: str = ""

    @property
    def good(self) -> bool:
        return not self.fault and all(part.good for part in self.parts)


@click.command(short_help="What of a launch is there, and how gated containers are doing.")
@engine_option
@click.option("--server", type=URL, help="Ask the hook server there, and nothing else.")
@click.option("--json", "as_json", is_flag=True, help="All of it as one JSON object.")
@click.option("--watch", is_flag=True, help="Stay, and keep it current, until Ctrl-C.")
def command(engine: str, server: str | None, as_json: bool, watch: bool) -> None:
    """Say what of a launch runs, and of each gated container what it was promised and has, whether
    it waits, and why. Exit code 0: all of the launch is there; 1: something is not.
    """
    if as_json and watch:
        raise click.UsageError("--json and --watch contradict each other; allowed: one of them")
    with term_as_interrupt(), told("status"):
        if watch:
            with suppress(KeyboardInterrupt):  # The way to end it.
                asyncio.run(keep_current(engine, server))
            return
        seen = asyncio.run(look(engine, server))
    click.echo(json_of(seen) if as_json else text_of(seen, time.time()))
    sys.exit(0 if seen.good else 1)


async def look(url: str, server: str | None) -> Seen:
    """LaunchError, EngineError."""
    if server is not None:
        return Seen([], decoded(await ask(server)))
    async with Engine(url) as engine:
        parts = await steps.status(engine, url)
        try:
            return Seen(parts, decoded(await status_of(engine, url)))
        except LaunchError as error:
            # A launch that is not there is told by its parts already.
            fault = str(error) if all(part.good for part in parts) else ""
            return Seen(parts, Answer(containers=[]), fault)


def decoded(answer: bytes) -> Answer:
    """LaunchError for what no hook server says."""
    try:
        return msgspec.json.decode(answer, type=Answer)
    except msgspec.MsgspecError as error:
        raise LaunchError(f"no hook server's answer: {error}") from error


async def keep_current(url: str, server: str | None) -> None:
    """Until it is interrupted. Where nobody sees a screen, it is said again when it has changed."""
    if not sys.stdout.isatty():
        before = ""
        async for text in looks(url, server):
            if text != before:
                click.echo(f"{text}\n")
            before = text
        return
    with Live(auto_refresh=False, screen=True) as live:
        async for text in looks(url, server):
            live.update(Text(text, no_wrap=True), refresh=True)


async def looks(url: str, server: str | None) -> AsyncIterator[str]:
    """What is looked at has no events for us, so it is looked at again. An engine that is
    restarted comes back."""
    while True:
        try:
            yield text_of(await look(url, server), time.time())
        except (LaunchError, EngineError) as error:
            yield str(error)
        await asyncio.sleep(WATCH_SECONDS)


def json_of(seen: Seen) -> str:
    value = {
        "parts": [asdict(part) for part in seen.parts],
        **msgspec.structs.asdict(seen.answer),
        **({"fault": seen.fault} if seen.fault else {}),
    }
    return msgspec.json.encode(value).decode()


def text_of(seen: Seen, now: float) -> str:
    """The parts a line each, then the table."""
    lines = [f"{part.name:<18}{part.state}" for part in seen.parts]
    if seen.fault:
        lines.append(seen.fault)
    if seen.answer.containers:
        cells = [HEADINGS, *[cells_of(row, now) for row in seen.answer.containers]]
        lines += ["", *aligned(cells)] if lines else aligned(cells)
    return "\n".join(lines)


def cells_of(row: Row, now: float) -> tuple[str, ...]:
    there, promised = ", ".join(row.addresses), ", ".join(row.promised)
    return (
        *(row.name, state_of(row, now), promised or "-", there or "-"),
        *(row.backend, str(row.retries)),
    )


def state_of(row: Row, now: float) -> str:
    """The state with what one wants to know of it."""
    match row.state:
        case "ready" if row.took is not None:
            return f"ready (took {row.took:.2f} s)"
        case "waiting" if row.since is not None:
            return f"waiting (for {max(0.0, now - row.since):.0f} s)"
        case "failed" if row.again is not None:
            return f"failed: {row.reason} (again in {max(0.0, row.again - now):.0f} s)"
        case "failed" | "unknown":
            return f"{row.state}: {row.reason}"
        case "stopped":
            return f"stopped ({row.reason})"
    return row.state


def aligned(table: list[tuple[str, ...]]) -> list[str]:
    """Columns two blanks apart; a terminal's control characters are shown, not obeyed."""
    shown = [
        [cell if cell.isprintable() else ascii(cell)[1:-1] for cell in cells] for cells in table
    ]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in shown
    ]
