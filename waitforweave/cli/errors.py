"""What an error looks like on the command line: one line on stderr and exit code 1; and Ctrl-C."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from waitforweave.attach.backend import AttachError
from waitforweave.cli.listening import ListenError
from waitforweave.docker.engine import EngineError
from waitforweave.launch.settings import LaunchError

# As shells say it of a program that SIGINT, or SIGTERM, has ended.
INTERRUPTED, TERMINATED = 130, 143
# What became of what was begun.
LEFT = {
    "launch": "; weavewait status shows what is there",
    "stop": "; what is left is taken away by the same command again",
}


@contextmanager
def told(command: str) -> Iterator[None]:
    """Errors that name their cause reach the person as they are; anything else is a bug."""
    try:
        yield
    except (AttachError, LaunchError, EngineError, ListenError, OSError) as error:
        # Why there is no answer, the doctor can tell: no service, no right, another address.
        silent = isinstance(error, EngineError) and not error.status
        hint = "; weavewait doctor says what to do" if silent else ""
        click.echo(f"weavewait {command}: {error}{hint}", err=True)
        sys.exit(1)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        # Something else that knows /_ping, between the engine and us perhaps.
        said = f"an answer of the engine's is no JSON: {error}; is it a Docker Engine?"
        click.echo(f"weavewait {command}: {said}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        click.echo(f"weavewait {command}: interrupted{LEFT.get(command, '')}", err=True)
        sys.exit(INTERRUPTED)


@contextmanager
def term_as_interrupt() -> Iterator[None]:
    """In the block TERM does what Ctrl-C does: what was begun is taken back, the terminal is left
    as it was. Not where Ctrl-C does nothing (in the background of a script)."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    terminated = False

    def interrupt(*_: object) -> None:
        nonlocal terminated
        terminated = True
        # asyncio.run has made it cancel its task.
        signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except SystemExit as end:
        if terminated and end.code == INTERRUPTED:
            end.code = TERMINATED
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
