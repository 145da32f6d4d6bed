"""Byte for byte: the same bytes sent to the real engine and to us before it, and the same back."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.support import images

IMAGE = images.BUSYBOX
SECONDS = 30.0
CREATE = b"POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
TAR = b"Content-Type: application/x-tar\r\n"

RAW = {
    "GET": b"GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n",
    "HEAD": b"HEAD /_ping HTTP/1.1\r\nHost: d\r\n\r\n",
    "HTTP/1.0": b"GET /_ping HTTP/1.0\r\n\r\n",
    "HTTP/1.0 kept alive": b"GET /_ping HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "close": b"GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n",
    "one after the other": b"GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n" * 3,
    "a whole address": b"GET http://d/_ping HTTP/1.1\r\nHost: d\r\n\r\n",
    "not found": b"GET /v1.41/no/such HTTP/1.1\r\nHost: d\r\n\r\n",
    "version too new": b"GET /v9.99/info HTTP/1.1\r\nHost: d\r\n\r\n",
    "method unknown": b"BREW /_ping HTTP/1.1\r\nHost: d\r\n\r\n",
    "body of no JSON": CREATE + b"Content-Length: 3\r\n\r\n{a}",
    "chunked body": CREATE + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunked with trailers": CREATE
    + b"Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n1;a=b\r\n{\r\n1\r\n}\r\n0\r\nX: y\r\n\r\n",
    "type that is not allowed": b"POST /containers/create HTTP/1.1\r\nHost: d\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
    "expects 100": CREATE + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
    "expects 100 in chunks": CREATE
    + b"Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "expects 100 for nothing": CREATE + b"Expect: 100-continue\r\nContent-Length: 0\r\n\r\n",
    "expects 100 and more": CREATE + b"Expect: 100-continue, x\r\nContent-Length: 2\r\n\r\n{}",
    "expects 100 in HTTP/1.0": b"POST /containers/create HTTP/1.0\r\nConnection: keep-alive\r\n"
    b"Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
    "expects what nobody knows": CREATE + b"Expect: x\r\nContent-Length: 2\r\n\r\n{}",
    "a tar that is none": b"POST /images/load HTTP/1.1\r\nHost: d\r\n"
    + TAR
    + b"Content-Length: 3\r\n\r\nabc",
    "attach to nothing": b"POST /containers/none/attach?stream=1 HTTP/1.1\r\nHost: d\r\n"
    b"Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n",
}


def connected(path: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(SECONDS)
    client.connect(str(path))
    return client


def until_end(client: socket.socket) -> bytes:
    answer = bytearray()  # Bytes would be copied for each piece: 20 s for 60 MB.
    while piece := client.recv(65536):
        answer += piece
    return bytes(answer)


def said_by(path: Path, sent: bytes) -> bytes:
    """All that is answered to this and a last call which closes; without what differs each time."""
    with connected(path) as client:
        client.sendall(sent + b"GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n")
        answer = until_end(client)
    answer = re.sub(rb"docker-import-\d+", b"docker-import-N", answer)
    answer = re.sub(rb"\r\nX-Reference-Id: [^\r]*", b"", answer)  # podman's, new for each call.
    return re.sub(rb"\r\nDate: [^\r]*", b"\r\nDate: now", answer)


@pytest.mark.parametrize("sent", RAW.values(), ids=list(RAW))
def test_the_answer_is_the_engines_byte_for_byte(engine, plain, watched, sent):
    answer = said_by(engine.socket, sent)
    assert answer.startswith(b"HTTP/1.")
    assert said_by(plain.socket, sent) == answer
    assert said_by(watched.socket, sent) == answer


@pytest.fixture
def cat(engine) -> Iterator[str]:
    """A container that gives back what it gets, to its end."""
    words = ("create", "-i", "--net=none", IMAGE, "sh", "-c", "cat; echo done")
    container = engine.docker(*words).out.strip()
    yield container
    engine.docker("rm", "-f", container)


@pytest.mark.parametrize("upgrade", ["Connection: Upgrade\r\nUpgrade: tcp\r\n", ""])
def test_attach_of_new_and_old_clients_with_early_stdin_and_half_close(
    engine, watched, cat, upgrade
):
    head = (
        f"POST /containers/{cat}/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: d\r\n"
        f"{upgrade}Content-Length: 0\r\n\r\n"
    )
    with connected(watched.socket) as client:
        # The first words come along with the head, before there is a stream.
        client.sendall(head.encode() + b"early ")
        answer = client.recv(12)
        assert answer == (b"HTTP/1.1 101" if upgrade else b"HTTP/1.1 200")
        engine.docker("start", cat)
        client.sendall(b"late\n")
        client.shutdown(socket.SHUT_WR)
        rest = until_end(client)
    # An upgraded stream with frames has a name of its own since API 1.42.
    assert re.search(rb"application/vnd\.docker\.(raw|multiplexed)-stream\r\n", rest)
    stream = rest.partition(b"\r\n\r\n")[2]
    frames = b""
    while stream:
        length = int.from_bytes(stream[4:8], "big")
        frames += stream[8 : 8 + length]
        stream = stream[8 + length :]
    assert frames == b"early late\ndone\n"


def test_what_many_clients_send_at_once_comes_back_to_each(watched, engine):
    words = ("run", "-d", "--net=none", IMAGE, "sleep", "1000")
    container = engine.docker(*words).out.strip()
    results: dict[int, str] = {}

    def one(number: int) -> None:
        sent = f"{number} ".encode() * 100_000
        got = watched.docker("exec", "-i", container, "cat", stdin=sent)
        results[number] = "same" if got.out.encode() == sent else got.err

    try:
        threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        engine.docker("rm", "-f", container)
    assert results == dict.fromkeys(range(8), "same")


def test_a_client_that_does_not_read_holds_the_engine_up_and_not_our_memory(engine, plain):
    script = "head -c 60000000 /dev/urandom > /big"
    container = engine.docker("run", "-d", "--net=none", IMAGE, "sh", "-c", script).out.strip()
    engine.docker("wait", container)
    process = psutil.Process(plain.process.pid)
    before = process.memory_info().rss
    try:
        with connected(plain.socket) as client:
            path = f"/containers/{container}/archive?path=/big"
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n".encode())
            # The answer is on its way. Another client's calls prove that we have had our turns.
            client.recv(1)
            for _ in range(5):
                plain.docker("version")
            assert process.memory_info().rss - before < 10_000_000
            assert len(until_end(client)) > 60_000_000
    finally:
        engine.docker("rm", "-f", container)
    assert process.memory_info().rss - before < 10_000_000


def test_a_hooked_body_past_the_bound_is_refused_with_413_while_it_is_sent(engine, watched):
    body = json.dumps({"Image": IMAGE, "Labels": {"a": "x" * (17 * 1024 * 1024)}}).encode()
    head = CREATE + b"Content-Length: %d\r\n\r\n" % len(body)
    with connected(watched.socket) as client:
        sender = threading.Thread(target=send_what_goes, args=(client, head + body))
        sender.start()
        answer = until_end(client)
        sender.join()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert (
        b'{"message": "weavewait proxy: a body for adapters has at most 16777216 bytes"}' in answer
    )


def send_what_goes(client: socket.socket, data: bytes) -> None:
    with suppress(OSError):  # We are told to stop by an answer, and perhaps a reset.
        client.sendall(data)
