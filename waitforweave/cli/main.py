"""The command `weavewait`: which commands there are, and what an error looks like."""

from __future__ import annotations

import importlib
import os
import sys

import click

from waitforweave import __version__

COMMANDS = (
    "adapter-debug",
    "attach",
    "detach",
    "doctor",
    "explain",
    "expose",
    "hide",
    "launch",
    "proxy",
    "serve",
    "status",
    "stop",
    "unwrap",
    "volume",
)


class LazyGroup(click.Group):
    """Imports a command's module (`waitforweave.cli.NAME`, attribute `command`) when it is used,
    with "_" for "-".

    `weavewait proxy` need not import pyroute2, nor `weavewait attach` an HTTP server.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"waitforweave.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def weavewait() -> None:
    """Give containers their second network before their program runs."""


def main() -> None:
    """The console script. Frozen, argv[0] is the loader's; the name that people know is given."""
    try:
        weavewait(prog_name="weavewait")
    except OSError as error:
        # Only of stdout: a full disk behind it, say. What is in its buffer goes nowhere, lest
        # Python tries again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        click.echo(f"weavewait: cannot write what was asked for: {error.strerror}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
