"""A proxy between two plain sockets: a test plays the client, the engine and the adapters.

sides.start({"POST /x": {"post": ["a"]}}, a=lambda call: ...)
client = sides.client()
client.send(b"GET / ...")
engine = sides.engine()        # the connection that the proxy made for that client
assert engine.head() == b"GET / ..."
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging.handlers
import queue
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.certificates import Authority
from waitforweave.docker.url import EngineUrl
from waitforweave.proxy import adapters, server, tls
from waitforweave.proxy.chain import Adapters
from waitforweave.proxy.connection import Proxy

# No test waits so long unless it fails.
SECONDS = 10.0

Hook = Callable[[dict[str, Any]], httpx.Response]


# A call of each kind that adapters see: with bodies, and without.
BODY = b'{"Image": "a", "Big": 12345678901234567890123 , "U": "\xc3\xbc"}'
CREATE = (
    b"POST /v1.41/containers/create?name=n HTTP/1.1\r\nHost: d\r\n"
    b"content-type: application/json\r\nContent-Length: %d\r\nX: y\r\n\r\n" % len(BODY)
)
CREATED = (
    b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 9\r\n"
    b'Server: S\r\n\r\n{"Id": 1}'
)
START = b"POST /v1.41/containers/a/start HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n"
DONE = b"HTTP/1.1 204 No Content\r\nServer: S\r\n\r\n"
BOTH = {"* /*": {"pre": ["a"], "post": ["a"]}}


def unchanged(call: dict[str, Any]) -> httpx.Response:
    """A hook that only looks."""
    return changed(call)


def changed(call: dict[str, Any], **changes: object) -> httpx.Response:
    """A hook's answer with these fields of its request or response changed."""
    name = "ClientRequest" if call["Type"] == "pre-hook" else "ServerResponse"
    return httpx.Response(
        200,
        json={"PowerstripProtocolVersion": 1, f"Modified{name}": {**call[name], **changes}},
    )


class Peer:
    """One end of a connection, blocking; what was read too early is kept for the next read."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(SECONDS)
        self.sock = sock
        self.ahead = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def until(self, mark: bytes) -> bytes:
        """All bytes up to the mark, which is the last of them."""
        while mark not in self.ahead:
            data = self.sock.recv(65536)
            assert data, f"the connection ended after {self.ahead!r}"
            self.ahead += data
        end = self.ahead.index(mark) + len(mark)
        found, self.ahead = self.ahead[:end], self.ahead[end:]
        return found

    def head(self) -> bytes:
        return self.until(b"\r\n\r\n")

    def exactly(self, length: int) -> bytes:
        while len(self.ahead) < length:
            data = self.sock.recv(65536)
            assert data, f"the connection ended after {self.ahead!r}"
            self.ahead += data
        found, self.ahead = self.ahead[:length], self.ahead[length:]
        return found

    def rest(self) -> bytes:
        """All that comes until the other side ends its direction."""
        while data := self.sock.recv(65536):
            self.ahead += data
        found, self.ahead = self.ahead, b""
        return found

    def end(self) -> None:
        """End of file from us; we read on."""
        self.sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.sock.close()

    def sees_hangup(self) -> bool:
        """Wait until the other side has closed the connection altogether."""
        poll = select.poll()
        poll.register(self.sock, 0)
        return bool(poll.poll(SECONDS * 1000))


class Sides:
    """The proxy in a thread of its own, with what is on both of its sides."""

    def __init__(self, folder: Path) -> None:
        self.engine_path, self.proxy_path = folder / "engine.sock", folder / "proxy.sock"
        self.listen()
        self.loop = asyncio.new_event_loop()
        self.bugs: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda _, context: self.bugs.append(context))
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.peers: list[Peer] = []
        self.others: list[socket.socket] = []  # Listeners of a test's own, closed at the end.
        self.calls: list[dict[str, Any]] = []

    def start(
        self,
        endpoints: dict[str, Any] | None = None,
        *,
        engine: EngineUrl | None = None,
        listening: socket.socket | None = None,
        engine_tls: ssl.SSLContext | None = None,
        clients_tls: ssl.SSLContext | None = None,
        **hooks: Hook,
    ) -> None:
        """Let the proxy run with these rules, between unix sockets unless told otherwise; a hook
        answers to what its adapter is sent."""
        rules = self.rules(endpoints or {}, *hooks)

        def transport(adapter: adapters.Adapter) -> httpx.AsyncBaseTransport:
            def answer(request: httpx.Request) -> httpx.Response:
                call = json.loads(request.content)
                self.calls.append({"adapter": adapter.name, **call})
                return hooks[adapter.name](call)

            return httpx.MockTransport(answer)

        engine = engine or EngineUrl("unix", path=str(self.engine_path))
        self.listening = listening or listener(self.proxy_path)
        secured = tls.Engine(engine, engine_tls) if engine_tls else None
        self.proxy = Proxy(engine, rules, Adapters(transport), secured)
        accepting = server.accept(self.listening, self.proxy, set(), clients_tls)
        asyncio.run_coroutine_threadsafe(accepting, self.loop)

    def rules(self, endpoints: dict[str, Any], *names: str) -> tuple[adapters.Endpoint, ...]:
        """What adapters.yml would say, with adapters of these names."""
        urls = {name: f"http://{name}/v1/extension" for name in names}
        return adapters.parse(json.dumps({"endpoints": endpoints, "adapters": urls}))

    def listen(self) -> None:
        """Be an engine that listens."""
        self.upstream = listener(self.engine_path)

    def listen_on(self, upstream: socket.socket) -> EngineUrl:
        """Be one that listens on TCP instead."""
        self.upstream.close()
        self.upstream = upstream
        host, port = upstream.getsockname()[:2]
        return EngineUrl("tcp", host=host, port=port)

    def client(self, sent: bytes = b"") -> Peer:
        sock = socket.socket(self.listening.family)
        sock.connect(self.listening.getsockname())
        peer = self.peer(sock)
        peer.send(sent)
        return peer

    def engine(self) -> Peer:
        """The proxy's next connection to the engine."""
        self.upstream.settimeout(SECONDS)
        return self.peer(self.upstream.accept()[0])

    def engine_is_untouched(self) -> bool:
        """Whether the proxy has made no connection that is not accepted yet."""
        self.upstream.settimeout(0)
        try:
            self.peer(self.upstream.accept()[0])
        except BlockingIOError:
            return True
        return False

    def kinds(self) -> list[tuple[str, str]]:
        """Which adapters were asked, and for what."""
        return [(call["adapter"], call["Type"]) for call in self.calls]

    def peer(self, sock: socket.socket) -> Peer:
        self.peers.append(Peer(sock))
        return self.peers[-1]

    def exchange(self, request: bytes, response: bytes) -> tuple[bytes, bytes]:
        """One call, after which both sides end: what the engine got, what the client got."""
        client = self.client(request)
        engine = self.engine()
        got = engine.exactly(len(request))
        engine.send(response)
        answered = client.exactly(len(response))
        engine.close()
        client.end()
        return got, answered + client.rest()

    def stop(self) -> None:
        async def cancel() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(cancel(), self.loop).result(SECONDS)
        gc.collect()  # A task whose error nobody has seen says so when it goes.
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()
        for peer in self.peers:
            peer.close()
        for sock in (self.upstream, self.listening, *self.others):
            sock.close()
        assert self.bugs == []


def listener(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    sock.bind(str(path))
    sock.listen(64)
    return sock


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[Sides]:
    running = Sides(tmp_path)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """What different parties have: two of one authority, and one of another's."""
    root, ours = tmp_path_factory.mktemp("certificates"), Authority()
    return {
        "ours": ours.folder(root / "ours"),
        "elsewhere": ours.folder(root / "elsewhere", "docker.example", "127.0.0.2"),
        "another's": Authority().folder(root / "another"),
    }


@pytest.fixture
def folder(folders: dict[str, Path]) -> Path:
    return folders["ours"]


@pytest.fixture
def logged():
    """The next line of the log, waited for."""
    lines: queue.Queue[logging.LogRecord] = queue.Queue()
    handler = logging.handlers.QueueHandler(lines)
    tls.log.addHandler(handler)
    yield lambda: lines.get(timeout=SECONDS).getMessage()
    tls.log.removeHandler(handler)
