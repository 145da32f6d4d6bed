"""A listening socket for `serve` and `proxy`: a unix socket, or TCP when asked for."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from waitforweave.docker.url import EngineUrl, parse_engine_url

BACKLOG = 1024


class ListenError(Exception):
    """Why we cannot listen there, and what is allowed."""


@contextmanager
def listening(
    url: str, like: str | None = None, *, anywhere: bool = False
) -> Iterator[socket.socket]:
    """A non-blocking socket that listens at `url`; its file goes with it. ListenError.

    On TCP it is on loopback, unless it may be `anywhere`.

    `like` is the URL of an engine: a unix socket gets the owner, group and mode of that engine's,
    so that whoever may use the one may use the other (powerstrip#57). Else it is its owner's only.
    """
    address = parse_engine_url(url)
    if address.scheme == "tcp":
        if not anywhere:
            require_loopback(address)
        with tcp_socket(address) as listener:
            yield listener
        return
    path = Path(address.path)
    with unix_socket(path, None if like is None else rights_of(parse_engine_url(like))) as listener:
        inode = path.stat().st_ino
        try:
            yield listener
        finally:
            # Another server may have taken our place meanwhile.
            with suppress(FileNotFoundError):
                if path.stat().st_ino == inode:
                    path.unlink()


def require_loopback(address: EngineUrl, otherwise: str = "") -> None:
    """Whoever reaches a port of ours is root on this host (weave#1055). ListenError, which says
    what may be done `otherwise`."""
    if address.scheme != "tcp":
        return
    if not is_loopback(address.host):
        raise ListenError(
            f"{address}: anybody who reaches this port would rule the engine; "
            f"allowed: tcp://127.0.0.1:PORT, tcp://[::1]:PORT, or a unix socket{otherwise}"
        )


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def tcp_socket(address: EngineUrl) -> socket.socket:
    """Listens on TCP. ListenError."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        listener = socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        raise ListenError(f"{address}: {error.strerror}") from error
    listener.setblocking(False)
    return listener


def rights_of(engine: EngineUrl) -> os.stat_result | None:
    """Owner, group and mode of the engine's socket, None for an engine on TCP. ListenError."""
    if engine.scheme != "unix":
        return None
    try:
        return Path(engine.path).stat()
    except OSError as error:
        raise ListenError(f"the engine at {engine}: {error.strerror}") from error


def unix_socket(path: Path, rights: os.stat_result | None) -> socket.socket:
    """A fresh socket file with its rights, before anybody can connect; or none is left."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_stale(path)
        listener.bind(str(path))
        try:
            # Nobody can connect before listen(2): the rights are there first.
            give_rights(path, rights)
            listener.listen(BACKLOG)
        except (OSError, ListenError):
            path.unlink()
            raise
    except OSError as error:
        listener.close()
        raise ListenError(f"unix://{path}: {error.strerror or error}") from error
    except ListenError:
        listener.close()
        raise
    return listener


def remove_stale(path: Path) -> None:
    """A socket that nobody answers on is left from before; a live one is somebody's."""
    if not path.is_socket():
        if path.exists():
            raise ListenError(f"unix://{path}: a file is there that is no socket")
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        # Where too many wait for its owner already, connect(2) would wait too (unix(7): EAGAIN).
        probe.setblocking(False)
        try:
            with suppress(BlockingIOError):
                probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        else:
            raise ListenError(f"unix://{path}: somebody listens there already")


def give_rights(path: Path, rights: os.stat_result | None) -> None:
    """Owner, group and mode; its owner's only, without any given. OSError, ListenError."""
    if rights is None:
        path.chmod(0o600)
        return
    if (rights.st_uid, rights.st_gid) != (os.geteuid(), os.getegid()):
        try:
            os.chown(path, rights.st_uid, rights.st_gid)
        except PermissionError as error:
            raise ListenError(
                f"unix://{path}: only root can give it the engine socket's owner, "
                f"{rights.st_uid}:{rights.st_gid}"
            ) from error
    path.chmod(rights.st_mode & 0o777)
