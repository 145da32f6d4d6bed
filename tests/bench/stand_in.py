"""Bulk without the work of an engine: who sends and who receives do nothing else.

python -m tests.bench.stand_in SOCKET      an upstream that listens there, until it is killed
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# As Go writes a file that it copies to an answer: in chunks of 32 KiB.
CHUNK = b"%x\r\n%s\r\n" % (32 * 1024, b"\x5a" * 32 * 1024)
MANY = CHUNK * 32
TIMES = 1024
LAST = b"0\r\n\r\n"
END = b"\r\n" + LAST
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n"
DONE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
SAVE = b"GET /v1.41/images/a/get HTTP/1.1\r\nHost: docker\r\n\r\n"
LOAD = b"POST /v1.41/images/load HTTP/1.1\r\nHost: docker\r\nTransfer-Encoding: chunked\r\n\r\n"


def save(path: Path) -> None:
    """Receive 1 GiB through this socket."""
    with connected(path) as peer:
        peer.sendall(SAVE)
        require(head(peer), ANSWER)
        discard(peer)


def load(path: Path) -> None:
    """Send 1 GiB through this socket."""
    with connected(path) as peer:
        peer.sendall(LOAD)
        send(peer)
        require(head(peer), DONE)


def send(peer: socket.socket) -> None:
    for _ in range(TIMES):
        peer.sendall(MANY)
    peer.sendall(LAST)


def discard(peer: socket.socket) -> None:
    """To the last chunk. Whoever is in between may have cut the others anew, as HAProxy does."""
    buffer = bytearray(1 << 20)
    tail = b""
    while not tail.endswith(END):
        taken = peer.recv_into(buffer)
        if not taken:
            raise EOFError("the body is cut")
        tail = (tail + buffer[max(0, taken - len(END)) : taken])[-len(END) :]


def head(peer: socket.socket) -> bytes:
    """Byte by byte: what follows is somebody else's."""
    found = b""
    while not found.endswith(b"\r\n\r\n"):
        byte = peer.recv(1)
        if not byte:
            break
        found += byte
    return found


def require(found: bytes, wanted: bytes) -> None:
    """HAProxy writes names in lower case."""
    if found.lower() != wanted.lower():
        raise ValueError(f"{found!r}, not {wanted!r}")


def connected(path: Path) -> socket.socket:
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(str(path))
    return peer


def answer(peer: socket.socket) -> None:
    """All calls of one client, of these two kinds."""
    with peer, suppress(ConnectionError):
        while request := head(peer):
            if request.startswith(b"GET"):
                peer.sendall(ANSWER)
                send(peer)
            else:
                discard(peer)
                peer.sendall(DONE)


def serve(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        print("ready", flush=True)
        while True:
            threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()


@contextmanager
def stand_in(path: Path) -> Iterator[None]:
    """It listens, as a process of its own."""
    command = [sys.executable, "-m", "tests.bench.stand_in", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield
        finally:
            process.kill()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
