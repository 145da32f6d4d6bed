"""Whether the docker command would speak TLS to an engine on TCP, and with which certificates.

As its variables, or a context of its own, say it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FILES = ("ca.pem", "cert.pem", "key.pem")


@dataclass(frozen=True)
class Certificates:
    """The folder of ca.pem, cert.pem and key.pem; without `verify` whoever answers will do."""

    folder: Path
    verify: bool


def of_environment(environ: Mapping[str, str]) -> Certificates | None:
    """None: without TLS. Any value but an empty one says yes."""
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    if not verify and not environ.get("DOCKER_TLS"):
        return None
    return Certificates(default_folder(environ), verify)


def default_folder(environ: Mapping[str, str]) -> Path:
    """Where the docker command looks for certificates."""
    named = environ.get("DOCKER_CERT_PATH") or environ.get("DOCKER_CONFIG")
    return Path(named) if named else home() / ".docker"


def home() -> Path:
    """The user's; the folder that we are in, as the docker command has it, for one without HOME
    whom no passwd knows (moby: pkg/homedir)."""
    try:
        return Path.home()
    except RuntimeError:
        return Path()


def of_context(folder: Path, key: str, *, verify: bool) -> Certificates | None:
    """Those of the context that has this key in the docker command's folder."""
    own = folder / "contexts" / "tls" / key / "docker"
    if verify and not any((own / name).exists() for name in FILES):
        return None
    return Certificates(own, verify)
