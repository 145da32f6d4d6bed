"""Options about TLS: to the engine as the docker command's, to the proxy's clients as dockerd's."""

from __future__ import annotations

import functools
import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from waitforweave.docker.certificates import default_folder, of_environment
from waitforweave.docker.url import EngineUrl, parse_engine_url
from waitforweave.proxy.certificates import CertificateError, engine_context, listener_context
from waitforweave.proxy.server import Secured

FILE = click.Path(path_type=Path)
CLIENT_OPTIONS = (
    click.option(
        "--tlscacert",
        type=FILE,
        metavar="FILE",
        help="Clients on TCP need TLS and a certificate of this authority.",
    ),
    click.option(
        "--tlscert", type=FILE, metavar="FILE", help="The certificate that clients on TCP see."
    ),
    click.option("--tlskey", type=FILE, metavar="FILE", help="The key of that certificate."),
    click.option(
        "--insecure",
        is_flag=True,
        help="Listen without TLS where anybody may come: whoever does is root on this host.",
    ),
)
ENGINE_OPTIONS = (
    click.option(
        "--engine-tlsverify",
        is_flag=True,
        help="TLS to an engine on TCP, which must be who it is.  [DOCKER_TLS_VERIFY]",
    ),
    click.option(
        "--engine-tls", is_flag=True, help="The same, whoever it is.  [DOCKER_TLS]"
    ),
    click.option(
        "--engine-cert-path",
        type=FILE,
        metavar="DIR",
        help="ca.pem, cert.pem and key.pem for that.  [DOCKER_CERT_PATH; ~/.docker]",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class EngineTls:
    """The options about the engine, as they were given."""

    engine_tlsverify: bool = False
    engine_tls: bool = False
    engine_cert_path: Path | None = None

    def context(self, engine: EngineUrl, environ: Mapping[str, str]) -> ssl.SSLContext | None:
        """What they, and the environment, ask for. click.UsageError, CertificateError."""
        asked = self.engine_tlsverify or self.engine_tls
        if engine.scheme != "tcp":
            # The environment's is for the docker command, and for whatever engine that has.
            if asked or self.engine_cert_path is not None:
                raise click.UsageError(f"TLS is for an engine on tcp://, and this is {engine}")
            return None
        usual = of_environment(environ)
        if not asked and usual is None:
            if self.engine_cert_path is not None:
                needed = "--engine-tlsverify or --engine-tls"
                raise click.UsageError(f"--engine-cert-path needs {needed} too")
            return None
        folder = self.engine_cert_path or default_folder(environ)
        verify = self.engine_tlsverify or bool(usual and usual.verify)
        return engine_context(folder, verify=verify)


@dataclass(frozen=True)
class TlsOptions(EngineTls):
    """Those about clients too."""

    tlscacert: Path | None = None
    tlscert: Path | None = None
    tlskey: Path | None = None
    insecure: bool = False

    def secured(self, engine: EngineUrl, *, on_tcp: bool, environ: Mapping[str, str]) -> Secured:
        """What they ask for. click.UsageError, CertificateError."""
        return Secured(self.context(engine, environ), self._clients(on_tcp=on_tcp))

    def _clients(self, *, on_tcp: bool) -> ssl.SSLContext | None:
        given = {f"--{name}": getattr(self, name) for name in ("tlscacert", "tlscert", "tlskey")}
        files = [file for file in given.values() if file is not None]
        if not files:
            return None
        if len(files) < len(given):
            missing = ", ".join(name for name, file in given.items() if file is None)
            raise click.UsageError(f"TLS for clients needs {missing} too")
        if self.insecure:
            raise click.UsageError(
                "--tlscacert and --insecure contradict each other; allowed: one of them"
            )
        if not on_tcp:
            raise click.UsageError("TLS is for clients on TCP; allowed: a --listen tcp://... too")
        return listener_context(*files)


def tls_options(command: Callable[..., None]) -> Callable[..., None]:
    """All options, given to the command as `tls`."""
    return collecting(TlsOptions, (*CLIENT_OPTIONS, *ENGINE_OPTIONS), command)


def engine_tls_options(command: Callable[..., None]) -> Callable[..., None]:
    """Those about the engine, given to the command as `tls`."""
    return collecting(EngineTls, ENGINE_OPTIONS, command)


def collecting(
    kind: type[EngineTls],
    options: Sequence[Callable[[Callable[..., None]], Callable[..., None]]],
    command: Callable[..., None],
) -> Callable[..., None]:
    @functools.wraps(command)
    def collected(**given: Any) -> None:  # noqa: ANN401 - the command's own
        ours = {field.name: given.pop(field.name) for field in fields(kind)}
        command(tls=kind(**ours), **given)

    for option in reversed(options):
        collected = option(collected)
    return collected


def context_for(tls: EngineTls, engine: str) -> ssl.SSLContext | None:
    """The same, for a command that only asks: what is wrong with a file is wrong with an option.
    click.UsageError."""
    try:
        return tls.context(parse_engine_url(engine), os.environ)
    except CertificateError as error:
        raise click.UsageError(str(error)) from error
