"""sd_notify(3), from the other side: how a program that is started says that it is ready."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 30.0


@contextmanager
def notifications(path: Path) -> Iterator[socket.socket]:
    """What NOTIFY_SOCKET names, as systemd would have it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(path))
        notified.settimeout(START_SECONDS)
        yield notified
