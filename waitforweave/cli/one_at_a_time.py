"""launch and stop wait for each other, and say so."""

from __future__ import annotations

from contextlib import AbstractContextManager

import click

from waitforweave.launch.lock import alone


def one_at_a_time(command: str, engine: str) -> AbstractContextManager[None]:
    def waits() -> None:
        click.echo(
            f"weavewait {command}: another launch or stop is under way for {engine}; "
            "waiting until it is done",
            err=True,
        )

    return alone(engine, waits)
