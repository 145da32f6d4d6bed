"""A listening socket for `serve` and `proxy`: a unix socket, or TCP when asked for."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from waitforweave.docker.url import EngineUrl, parse_engine_url

# As many as the kernel lets wait (listen(2): somaxconn), as the engine does. On a unix socket
# whoever comes when the queue is full is refused (unix(7): EAGAIN).
BACKLOG = 65535


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
    rights = None if like is None else rights_of(parse_engine_url(like))
    with unix_listener(Path(address.path), rights) as listener:
        yield listener


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
        listener = socket.create_server(
            (address.host, address.port), family=family, backlog=BACKLOG
        )
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


@contextmanager
def unix_listener(path: Path, rights: os.stat_result | None) -> Iterator[socket.socket]:
    """A listening socket, and its file as long as that is ours. ListenError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with alone(path):
            listener = unix_socket(path, rights)
            # An inode's number is used again when it is gone, and this keeps it.
            ours = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise ListenError(f"unix://{path}: {error.strerror or error}") from error
    try:
        with listener:
            yield listener
    finally:
        # Another server may have taken our place meanwhile.
        with suppress(FileNotFoundError), alone(path):
            if is_at(path, ours):
                path.unlink()
        os.close(ours)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """No other server of ours begins or ends at this path meanwhile: of two that find a stale
    socket there, the second one would remove the first one's live one. OSError.

    By a file beside it, which nobody is kept from by what is locked there already: a launch has
    the lock of its engine's folder while it waits for us.
    """
    lock = path.with_name(f"{path.name}.lock")
    while True:
        held = os.open(lock, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            if is_at(lock, held):  # Else whoever had it before us has removed it.
                try:
                    yield
                finally:
                    lock.unlink()
                return
        finally:
            os.close(held)


def is_at(path: Path, fd: int) -> bool:
    """Whether it is this file that is there."""
    try:
        return os.path.samestat(os.fstat(fd), path.lstat())
    except FileNotFoundError:
        return False


def unix_socket(path: Path, rights: os.stat_result | None) -> socket.socket:
    """A fresh socket file with its rights, before anybody can connect; or none is left. OSError,
    ListenError."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        if is_stale(path):
            path.unlink()
        listener.bind(str(path))
        try:
            # Nobody can connect before listen(2): the rights are there first.
            give_rights(path, rights)
            listener.listen(BACKLOG)
        except (OSError, ListenError):
            path.unlink()
            raise
    except (OSError, ListenError):
        listener.close()
        raise
    return listener


def is_stale(path: Path) -> bool:
    """Whether a socket is there that nobody answers on, left from before; a live one is
    somebody's. ListenError, OSError."""
    if not path.is_socket():
        if path.exists():
            raise ListenError(f"unix://{path}: a file is there that is no socket")
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        # Where too many wait for its owner already, connect(2) would wait too (unix(7): EAGAIN).
        probe.setblocking(False)
        try:
            with suppress(BlockingIOError):
                probe.connect(str(path))
        except ConnectionRefusedError:
            return True
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
