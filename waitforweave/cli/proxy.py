"""`weavewait proxy`: the Docker Engine API for any client, with Powerstrip adapters around it."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from waitforweave.cli.activation import PASSED, address_of, passed_sockets
from waitforweave.cli.descriptors import open_many
from waitforweave.cli.errors import told
from waitforweave.cli.listening import listening, require_loopback
from waitforweave.cli.notify import notify_ready
from waitforweave.cli.options import LISTEN, Url, engine_option, require_different
from waitforweave.cli.tls_options import TlsOptions, tls_options
from waitforweave.docker.url import EngineUrl, parse_engine_url
from waitforweave.proxy.adapters import ConfigError, load, summary
from waitforweave.proxy.certificates import CertificateError
from waitforweave.proxy.reload import RulesFile
from waitforweave.proxy.server import serve

OTHERWISE = "; elsewhere with --tlscacert, --tlscert and --tlskey, or with --insecure"


class ListenUrl(Url):
    """An address, or the word for the sockets that systemd passes."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return PASSED if value == PASSED else super().convert(value, param, ctx)


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
@click.option(
    "--listen",
    multiple=True,
    type=ListenUrl(),
    default=(LISTEN,),
    show_default=True,
    help="Where clients come: unix:///PATH, tcp://HOST:PORT, or fd:// for systemd's sockets. "
    "Repeatable.",
)
@tls_options
def command(
    config: Path | None,
    check: Path | None,
    engine: str,
    listen: tuple[str, ...],
    tls: TlsOptions,
) -> None:
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
    with told("proxy"), ExitStack() as stack:
        run(rules, parse_engine_url(engine), listen, tls, stack)


def run(
    rules: RulesFile,
    engine: EngineUrl,
    listen: tuple[str, ...],
    tls: TlsOptions,
    stack: ExitStack,
) -> None:
    """Listen where we may, and serve. ListenError, and the end of the process for wrong options."""
    require_different(listen)
    sockets = passed_sockets(os.environ) if PASSED in listen else []
    urls = [url for url in listen if url != PASSED]
    addresses = [*map(parse_engine_url, urls), *map(address_of, sockets)]
    on_tcp = any(address.scheme == "tcp" for address in addresses)
    with config_told():
        secured = tls.secured(engine, on_tcp=on_tcp, environ=os.environ)
    if secured.clients is None and not tls.insecure:
        for address in addresses:
            require_loopback(address, OTHERWISE)
    sockets += [
        stack.enter_context(listening(url, like=str(engine), anywhere=True)) for url in urls
    ]

    def ready() -> None:
        for address in addresses:
            how = " with TLS" if secured.clients and address.scheme == "tcp" else ""
            click.echo(f"weavewait proxy: listening on {address}{how}", err=True)
        notify_ready()

    open_many()
    asyncio.run(serve(sockets, engine, rules, secured, ready))


@contextmanager
def config_told() -> Iterator[None]:
    """All that is wrong with a file that we were given is said, a line each; the exit is 2."""
    try:
        yield
    except (ConfigError, CertificateError) as error:
        for problem in error.args:
            click.echo(f"weavewait proxy: {problem}", err=True)
        sys.exit(2)
