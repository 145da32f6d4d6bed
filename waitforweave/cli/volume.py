"""What the volume container says when somebody starts it: that it need not run."""

from __future__ import annotations

import click


@click.command(hidden=True)
def command() -> None:
    """Say what this container is for. An "Exited (0)" is no failure (powerstrip-weave#13)."""
    click.echo(
        "This container only holds the volume /home/weavewait for others to mount, and may stay "
        "exited. (weavewait --help says what else this image can do.)"
    )
