"""`weavewait proxy` as a process of its own, and adapters written with another HTTP library."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.docker_cli import DockerCli
from tests.support.notified import START_SECONDS, notifications

Message = dict[str, Any]
Hook = Callable[[Message], tuple[int, Message]]
NO_HOOKS = "endpoints: {}\nadapters: {}\n"


@dataclass
class Proxy(DockerCli):
    """The docker client at a proxy that runs."""

    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def socket(self) -> Path:
        return self.folder / "docker.sock"

    @property
    def url(self) -> str:  # type: ignore[override]
        return f"unix://{self.socket}"

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def stop(self) -> int:
        """TERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=START_SECONDS)


@contextmanager
def proxy(
    folder: Path,
    engine_url: str,
    config: str = NO_HOOKS,
    *words: str,
    below: Sequence[str] = (),
    fds: Sequence[socket.socket] = (),
) -> Iterator[Proxy]:
    """A proxy before this engine, which is ready; its socket and its log are in `folder`. More
    `words` go on its command line, which is given to a command that it runs `below`; it inherits
    the `fds`."""
    folder.mkdir(exist_ok=True)
    (folder / "adapters.yml").write_text(config)
    with (folder / "log").open("wb") as log, notifications(folder / "notify") as notified:
        process = subprocess.Popen(
            [
                *(*below, sys.executable, "-m", "waitforweave.cli.main", "proxy"),
                *("--config", str(folder / "adapters.yml"), "--engine", engine_url),
                *("--listen", f"unix://{folder}/docker.sock", *words),
            ],
            env={**os.environ, "NOTIFY_SOCKET": str(folder / "notify")},
            stderr=log,
            pass_fds=[sock.fileno() for sock in fds],
        )
        running = Proxy(folder, process)
        try:
            assert notified.recv(100) == b"READY=1", running.log()
            yield running
        finally:
            process.kill()
            process.wait()


@dataclass
class Adapter:
    """What an adapter was asked, and where it is."""

    url: str
    asked: list[Message] = field(default_factory=list)

    def calls(self) -> list[tuple[str, str]]:
        """Type, and the path without version and query."""
        paths = [message["ClientRequest"]["Request"].partition("?")[0] for message in self.asked]
        kinds = [message["Type"] for message in self.asked]
        return [(kind, path[path.find("/", 1) :]) for kind, path in zip(kinds, paths, strict=True)]


@contextmanager
def adapter(hook: Hook, tls: ssl.SSLContext | None = None) -> Iterator[Adapter]:
    """An adapter on loopback whose answers `hook` gives, by http.server of the library."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                here.asked.append(message)
            status, answer = hook(message)
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    lock = threading.Lock()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        here = Adapter(f"{scheme}://127.0.0.1:{server.server_port}/v1/extension")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield here
        finally:
            server.shutdown()
            thread.join()


def unchanged(message: Message) -> tuple[int, Message]:
    """The answer of an adapter that only looks."""
    if message["Type"] == "pre-hook":
        return 200, {
            "PowerstripProtocolVersion": 1,
            "ModifiedClientRequest": message["ClientRequest"],
        }
    return 200, {
        "PowerstripProtocolVersion": 1,
        "ModifiedServerResponse": message["ServerResponse"],
    }


def changed(message: Message, **changes: object) -> tuple[int, Message]:
    """The same with changes to its request or response."""
    status, answer = unchanged(message)
    name = next(key for key in answer if key.startswith("Modified"))
    return status, {**answer, name: {**answer[name], **changes}}
