"""What a person at a terminal sees of a long step while it runs; nothing where nobody looks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn


@contextmanager
def shown(what: str) -> Iterator[Callable[[str], None]]:
    """While the block runs, one line on stderr says what does, and for how long; it is gone
    afterwards. Gives what changes its words.

    Nothing at all where stderr is no terminal (FORCE_COLOR would make rich believe that each is
    one), or one that cannot move its cursor (TERM=dumb). rich obeys NO_COLOR.
    """
    columns = TextColumn("{task.description}", markup=False), TimeElapsedColumn()
    console = Console(stderr=True)
    quiet = not sys.stderr.isatty() or console.is_dumb_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        line = progress.add_task(what, total=None)
        yield lambda words: progress.update(line, description=words)
