"""A TCP port of loopback that leads to a unix socket, as `ssh -L PORT:/path/to.sock` makes it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CHUNK_BYTES = 1 << 16


@contextmanager
def relay(path: Path) -> Iterator[str]:
    """The port's http:// address; all its connections end with the block."""
    ends: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener, path, ends))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            # accept(2) does not end by a close(2) alone.
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for end in ends:
                shut(end, socket.SHUT_RDWR)


def serve(listener: socket.socket, path: Path, ends: list[socket.socket]) -> None:
    pumps = []
    with suppress(OSError):
        while True:
            near, _ = listener.accept()
            far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            far.connect(str(path))
            ends += [near, far]
            for one, other in ((near, far), (far, near)):
                pumps.append(threading.Thread(target=pump, args=(one, other), daemon=True))
                pumps[-1].start()


def pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(CHUNK_BYTES):
            sink.sendall(chunk)
    shut(sink, socket.SHUT_WR)


def shut(end: socket.socket, how: int) -> None:
    with suppress(OSError):
        end.shutdown(how)
