"""`weavewait proxy`: the Docker Engine API for any client, with Powerstrip adapters around it."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from waitforweave.cli.errors import told
from waitforweave.cli.listening import listening
from waitforweave.cli.notify import notify_ready
from waitforweave.cli.options import engine_option, listen_option
from waitforweave.docker.url import parse_engine_url
from waitforweave.proxy.adapters import ConfigError, load, summary
from waitforweave.proxy.reload import RulesFile
from waitforweave.proxy.server import serve


@click.command(short_help="The Docker Engine API, with Powerstrip adapters around it.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="Powerstrip's adapters.yml: which adapters are called around which calls.  [required]",
)
@click.option(
    "--check",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Say what is wrong with this adapters.yml, or what it holds, and do nothing else.",
)
@engine_option
@listen_option
def command(config: Path | None, check: Path | None, engine: str, listen: tuple[str, ...]) -> None:
    """Pass each call on to the engine, and call the adapters around those that match.

    Says on stderr, a line each, which calls matched which rule. Ends on TERM or INT with exit
    code 0.
    """
    if check is not None:
        with config_told():
            click.echo(f"ok: {check}: {summary(load(check))}")
        return
    if config is None:
        raise click.UsageError("Missing option '--config'.")
    logging.basicConfig(level=logging.INFO, format="weavewait proxy: %(message)s")
    # httpx would log each call of an adapter.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with config_told():
        rules = RulesFile(config)

    def ready() -> None:
        for url in listen:
            click.echo(f"weavewait proxy: listening on {url}", err=True)
        notify_ready()

    with told("proxy"), ExitStack() as stack:
        sockets = [stack.enter_context(listening(url, like=engine)) for url in listen]
        asyncio.run(serve(sockets, parse_engine_url(engine), rules, ready))


@contextmanager
def config_told() -> Iterator[None]:
    """All that is wrong with adapters.yml is said, a line each, and the exit is 2."""
    try:
        yield
    except ConfigError as error:
        for problem in error.args:
            click.echo(f"weavewait proxy: {problem}", err=True)
        sys.exit(2)
