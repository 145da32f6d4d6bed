"""What an error looks like on the command line: one line on stderr and exit code 1."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from waitforweave.attach.backend import AttachError
from waitforweave.cli.listening import ListenError
from waitforweave.docker.engine import EngineError
from waitforweave.launch.settings import LaunchError


@contextmanager
def told(command: str) -> Iterator[None]:
    """Errors that name their cause reach the person as they are; anything else is a bug."""
    try:
        yield
    except (AttachError, LaunchError, EngineError, ListenError, OSError) as error:
        click.echo(f"weavewait {command}: {error}", err=True)
        sys.exit(1)
