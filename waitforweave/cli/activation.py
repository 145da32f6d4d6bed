"""Sockets that systemd listens on for us: sd_listen_fds(3)."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from waitforweave.cli.listening import ListenError
from waitforweave.docker.url import EngineUrl

# What --listen says for them, as dockerd's --host does.
PASSED = "fd://"
FIRST = 3
FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)


def passed_sockets(environ: Mapping[str, str]) -> list[socket.socket]:
    """All that we were given, non-blocking, whose they are at their other end. ListenError."""
    count = environ.get("LISTEN_FDS", "")
    if environ.get("LISTEN_PID") != str(os.getpid()) or not count.isdecimal() or count == "0":
        raise ListenError(
            f"{PASSED}: no sockets were passed to us; allowed: in the service of a .socket unit"
        )
    return [passed(number) for number in range(FIRST, FIRST + int(count))]


def passed(number: int) -> socket.socket:
    """One of them. ListenError for what nobody can connect to as to an engine."""
    try:
        sock = socket.socket(fileno=number)
    except OSError as error:
        raise ListenError(f"{PASSED}: descriptor {number}: {error.strerror}") from error
    listens = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if sock.family not in FAMILIES or sock.type != socket.SOCK_STREAM or not listens:
        sock.close()
        raise ListenError(
            f"{PASSED}: descriptor {number} does not listen for streams; "
            "allowed: ListenStream= with Accept=no"
        )
    os.set_inheritable(number, False)
    sock.setblocking(False)
    return sock


def address_of(listener: socket.socket) -> EngineUrl:
    """Where a listening socket is reached."""
    name = listener.getsockname()
    if listener.family == socket.AF_UNIX:
        # An abstract one is bytes, and begins with NUL.
        path = os.fsdecode(name)
        return EngineUrl("unix", path=f"@{path[1:]}" if path.startswith("\0") else path)
    return EngineUrl("tcp", host=name[0], port=name[1])
