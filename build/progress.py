"""A step of a build: what runs is shown at a terminal; a line says what has been done."""

from __future__ import annotations

import time
from collections.abc import Callable

from waitforweave.cli.progress import shown


def timed(program: str, what: str, step: Callable[[], str | None]) -> None:
    """Do it, and print what it gives, and how long it took."""
    begun = time.monotonic()
    with shown(f"{program}: {what}"):
        made = step()
    took = f"{time.monotonic() - begun:.0f} s"
    print(f"{program}: {what}: {f'{made}, ' if made else ''}{took}", flush=True)
