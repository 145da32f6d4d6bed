"""HAProxy in front of an engine's socket, as Debian has it and with its own defaults."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.notified import notifications

CONFIG = """
defaults
    mode http
    maxconn 2000
    timeout connect 5s
    timeout client 1h
    timeout server 1h
listen engine
    bind unix@{listen}
    server engine unix@{engine}
"""


@contextmanager
def haproxy(folder: Path, engine: Path) -> Iterator[tuple[Path, int]]:
    """The socket that it listens on, and the pid of the process that passes the bytes."""
    folder.mkdir()
    listen, config = folder / "docker.sock", folder / "haproxy.cfg"
    config.write_text(CONFIG.format(listen=listen, engine=engine))
    with notifications(folder / "notify") as notified, (folder / "log").open("wb") as log:
        # In master-worker mode it says when it is ready.
        process = subprocess.Popen(
            ["haproxy", "-Ws", "-f", config],
            env={"NOTIFY_SOCKET": str(folder / "notify"), "PATH": "/usr/sbin:/usr/bin"},
            stdout=log,
            stderr=log,
        )
        try:
            while b"READY=1" not in notified.recv(1000):
                pass
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
            yield listen, int(children.split()[0])
        finally:
            process.terminate()
            process.wait()
