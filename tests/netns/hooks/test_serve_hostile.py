"""Hostile clients of `weavewait serve`: a clear 4xx or a closed connection, and it lives on."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from tests.netns.gate.space import Space
from tests.netns.hooks.test_serve_command import called, pre_hook, serving
from waitforweave.cli.serving import configured
from waitforweave.docker.engine import Engine
from waitforweave.hooks import app, impatient
from waitforweave.hooks.attaching import Attacher
from waitforweave.hooks.options import Options
from waitforweave.hooks.watcher import Watcher

PATIENCE_SECONDS = 60.0
MEGABYTE = 1024 * 1024
HEAD = b"POST /v1/extension HTTP/1.1\r\nHost: hooks\r\n"


@pytest.fixture(scope="module")
def space() -> Iterator[Space]:
    with Space() as space:
        yield space


def connected(folder: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(PATIENCE_SECONDS)
    client.connect(str(folder / "hooks.sock"))
    return client


def status_of(client: socket.socket) -> int | None:
    """Of the answer; None for a connection that is closed without one."""
    try:
        said = client.recv(65536)
    except ConnectionResetError:
        return None
    return int(said.split()[1]) if said else None


def peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def sent(folder: Path, head: bytes, body: bytes, times: int) -> int | None:
    """A body in pieces, as far as the server takes it."""
    with connected(folder) as client:
        try:
            client.sendall(head)
            for _ in range(times):
                client.sendall(body)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return status_of(client)


def test_a_body_of_100_mb_is_refused_and_not_kept(space, tmp_path):
    length = HEAD + b"Content-Length: %d\r\n\r\n" % (100 * MEGABYTE)
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n" % MEGABYTE + b"x" * MEGABYTE + b"\r\n"
    with serving(space, tmp_path) as server:
        before = peak_bytes(server.pid)
        for _ in range(3):
            assert sent(tmp_path, length, b"x" * MEGABYTE, 100) in (413, None)
            assert sent(tmp_path, chunked, chunk, 100) in (413, None)
        assert peak_bytes(server.pid) - before < 3 * app.BODY_BYTES
        assert called(tmp_path, pre_hook("{")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"[" * 10 * MEGABYTE, b'{"a":' * MEGABYTE, b'"' + b"a" * 10 * MEGABYTE, b"\0" * 99],
    ids=["empty", "word", "arrays", "objects", "string", "zeros"],
)
def test_what_is_no_json_is_a_400(space, tmp_path, body):
    with serving(space, tmp_path):
        head = HEAD + b"Content-Length: %d\r\n\r\n" % len(body)
        assert sent(tmp_path, head, body, 1) == 400
        assert called(tmp_path, pre_hook("{")).status_code == 200


@pytest.mark.parametrize("depth", [1_000, 1_000_000])
def test_a_nested_body_within_the_hooks_is_left_for_the_engine(space, tmp_path, depth):
    with serving(space, tmp_path):
        answer = called(tmp_path, pre_hook('{"Image": ' + "[" * depth))
        assert answer.status_code == 200
        assert called(tmp_path, pre_hook("{")).status_code == 200


@pytest.mark.parametrize(
    "said",
    [
        b"\0" * 100_000,
        b"GET /nowhere HTTP/9.9\r\n\r\n",
        b"POST /v1/extension HTTP/1.1\r\n\r\n",
        HEAD + b"Content-Length: x\r\n\r\n",
        HEAD + b"A: " + b"a" * MEGABYTE,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_no_http_or_leads_nowhere_is_a_4xx_or_a_closed_connection(space, tmp_path, said):
    with serving(space, tmp_path):
        assert sent(tmp_path, said, b"", 1) in (400, 404, None)
        assert called(tmp_path, pre_hook("{")).status_code == 200


def test_many_who_say_nothing_keep_nobody_waiting(space, tmp_path):
    with serving(space, tmp_path) as server:
        idle = [connected(tmp_path) for _ in range(200)]
        half = [connected(tmp_path) for _ in range(200)]
        for client in half:
            client.sendall(HEAD + b"Content-Length: 10\r\n\r\n{")
        before = peak_bytes(server.pid)
        for _ in range(20):
            assert called(tmp_path, pre_hook("{")).status_code == 200
        assert peak_bytes(server.pid) - before < 10 * MEGABYTE
        for client in idle + half:
            client.close()
        assert called(tmp_path, pre_hook("{")).status_code == 200


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"", b""),
        (b"POST /v1/ext", b""),
        (HEAD, b""),
        (HEAD + b"Content-Length: 10\r\n\r\n{", b"HTTP/1.1 408 "),
    ],
)
def test_whoever_does_not_go_on_is_hung_up_on(monkeypatch, tmp_path, said, answer):
    """In this process, where the patience can be made short."""
    monkeypatch.setattr(impatient, "HEAD_SECONDS", 0.1)
    monkeypatch.setattr(app, "BODY_SECONDS", 0.1)

    async def main() -> bytes:
        watcher = Watcher(Attacher(Engine("unix:///none.sock"), None))  # type: ignore[arg-type]
        server = uvicorn.Server(configured(app.make_app(watcher, Options("i"))))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / "hooks.sock"))
            listener.listen()
            serve = asyncio.create_task(server.serve([listener]))
            reader, writer = await asyncio.open_unix_connection(tmp_path / "hooks.sock")
            writer.write(said)
            got = await asyncio.wait_for(reader.read(13), PATIENCE_SECONDS)
            writer.close()
            server.should_exit = True
            await serve
        return got

    assert asyncio.run(main()) == answer


def test_a_hook_body_is_json_in_json_and_each_is_checked(space, tmp_path):
    with serving(space, tmp_path):
        assert called(tmp_path, json.loads(b"[" * 50 + b"]" * 50)).status_code == 400
