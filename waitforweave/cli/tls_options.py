"""The proxy's options about TLS: to the engine as the docker command's, to clients as dockerd's."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from waitforweave.docker.url import EngineUrl
from waitforweave.proxy.certificates import engine_context, listener_context
from waitforweave.proxy.server import Secured

FILE = click.Path(path_type=Path)
OPTIONS = (
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
class TlsOptions:
    """The options as they were given."""

    tlscacert: Path | None = None
    tlscert: Path | None = None
    tlskey: Path | None = None
    insecure: bool = False
    engine_tlsverify: bool = False
    engine_tls: bool = False
    engine_cert_path: Path | None = None

    def secured(self, engine: EngineUrl, *, on_tcp: bool, environ: Mapping[str, str]) -> Secured:
        """What they ask for. click.UsageError, CertificateError."""
        return Secured(self._engine(engine, environ), self._clients(on_tcp=on_tcp))

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

    def _engine(self, engine: EngineUrl, environ: Mapping[str, str]) -> ssl.SSLContext | None:
        asked = self.engine_tlsverify or self.engine_tls
        if engine.scheme != "tcp":
            # The environment's is for the docker command, and for whatever engine that has.
            if asked or self.engine_cert_path is not None:
                raise click.UsageError(f"TLS is for an engine on tcp://, and this is {engine}")
            return None
        # As for the docker command, any value but an empty one says yes.
        verify = self.engine_tlsverify or bool(environ.get("DOCKER_TLS_VERIFY"))
        if not asked and not verify and not environ.get("DOCKER_TLS"):
            if self.engine_cert_path is not None:
                needed = "--engine-tlsverify or --engine-tls"
                raise click.UsageError(f"--engine-cert-path needs {needed} too")
            return None
        return engine_context(self.engine_cert_path or default_folder(environ), verify=verify)


def default_folder(environ: Mapping[str, str]) -> Path:
    """Where the docker command looks for certificates."""
    named = environ.get("DOCKER_CERT_PATH") or environ.get("DOCKER_CONFIG")
    return Path(named) if named else Path.home() / ".docker"


def tls_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options, given to the command as `tls`."""

    @functools.wraps(command)
    def collected(**given: Any) -> None:  # noqa: ANN401 - the command's own
        ours = {field.name: given.pop(field.name) for field in fields(TlsOptions)}
        command(tls=TlsOptions(**ours), **given)

    for option in reversed(OPTIONS):
        collected = option(collected)
    return collected
