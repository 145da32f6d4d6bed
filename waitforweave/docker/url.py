"""Where an engine, or our own proxy, is: unix:///PATH or tcp://HOST:PORT."""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

ALLOWED = "allowed: unix:///PATH or tcp://HOST:PORT"


@dataclass(frozen=True)
class EngineUrl:
    """A unix socket (`path`) or a TCP address (`host`, `port`); `scheme` says which."""

    scheme: str
    path: str = ""
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        if self.scheme == "unix":
            return f"unix://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"


def parse_engine_url(text: str) -> EngineUrl:
    """The address that `text` names, as DOCKER_HOST writes it. ValueError says what is wrong."""
    if text.startswith("unix://"):
        path = text.removeprefix("unix://")
        if not path.startswith("/") or path.endswith("/"):
            raise ValueError(f'"{text}": a unix socket needs its absolute path; {ALLOWED}')
        return EngineUrl("unix", path=path)
    if not text.startswith("tcp://"):
        raise ValueError(f'"{text}" is no address of an engine; {ALLOWED}')
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
        (host or "").encode("idna")  # As getaddrinfo(3) is asked for it.
    except ValueError as error:
        raise ValueError(f'"{text}": {error}; {ALLOWED}') from error
    if not host or not port or parts.path or parts.query or parts.username:
        raise ValueError(f'"{text}": a TCP address is a host and a port; {ALLOWED}')
    return EngineUrl("tcp", host=host, port=port)


def same_engine(one: str, other: str) -> bool:
    """Whether both URLs lead to one engine: a socket may have two names (/var/run is /run)."""
    if not (one.startswith("unix://") and other.startswith("unix://")):
        return one == other
    return os.path.realpath(one[7:]) == os.path.realpath(other[7:])
