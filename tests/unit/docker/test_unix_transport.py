"""HTTP over a unix socket: answers in all their framings, and each way in which none comes."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from waitforweave.docker.unix_transport import UnixTransport

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def call(folder: Path, serve: Serve, content: bytes = b"") -> httpx.Response:
    """One call, to a server that does this with its connection and then closes it."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(reader, writer)
        writer.close()

    async def main() -> httpx.Response:
        path = str(folder / "s.sock")
        request = httpx.Request("POST", "http://name/a/b?c=d", content=content)
        async with await asyncio.start_unix_server(served, path), UnixTransport(path) as transport:
            response = await transport.handle_async_request(request)
            await response.aread()
            return response

    return asyncio.run(main())


def saying(answer: bytes) -> Serve:
    """A server that reads the head and says this, byte for byte."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for at in range(len(answer)):
            writer.write(answer[at : at + 1])
            await writer.drain()

    return serve


@pytest.mark.parametrize(
    "framed",
    [
        b"Content-Length: 5\r\n\r\nhello",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        b"Connection: close\r\n\r\nhello",
    ],
)
def test_an_answer_is_read_to_its_end(tmp_path, framed):
    head = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 418 Short and stout\r\nApi-Version: 1.41\r\n"
    response = call(tmp_path, saying(head + framed))
    assert (response.status_code, response.reason_phrase) == (418, "Short and stout")
    assert (response.headers["api-version"], response.content) == ("1.41", b"hello")


def test_many_interim_answers_hold_up_nobody_else(tmp_path):
    rounds = 0

    async def others() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await asyncio.sleep(0)

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        tasks.append(asyncio.create_task(others()))
        writer.write(b"HTTP/1.1 102 Processing\r\n\r\n" * 1000)
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    tasks: list[asyncio.Task[None]] = []
    assert call(tmp_path, serve).status_code == 204
    assert rounds >= 1000


@pytest.mark.parametrize("content", [b"", b"x" * 5_000_000])
def test_the_request_arrives_as_it_is(tmp_path, content):
    seen = []

    async def serve(reader, writer):
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        seen.append(await reader.readexactly(len(content)))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    assert call(tmp_path, serve, content).status_code == 204
    head, body = seen
    assert head.startswith(b"POST /a/b?c=d HTTP/1.1\r\nHost: name\r\n")
    assert f"Content-Length: {len(content)}\r\n".encode() in head
    assert body == content


def test_an_answer_that_comes_before_all_is_read_counts(tmp_path):
    """A server that refuses a body closes without reading it: the rest cannot be written."""

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too long\r\nContent-Length: 2\r\n\r\nno")

    response = call(tmp_path, serve, b"x" * 5_000_000)
    assert (response.status_code, response.content) == (413, b"no")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "Server disconnected without sending a response."),
        (b"HTTP/1.1 200 OK\r\nConte", "Server disconnected without sending a response."),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "peer closed connection"),
        (b"Hello, this is SMTP\r\n\r\n", "illegal status line"),
    ],
)
def test_half_an_answer_is_none(tmp_path, answer, reason):
    with pytest.raises(httpx.RemoteProtocolError, match=reason):
        call(tmp_path, saying(answer))


def test_a_server_that_is_not_there_is_told_as_the_kernel_tells_it(tmp_path):
    transport = UnixTransport(str(tmp_path / "nobody.sock"))
    with pytest.raises(httpx.ConnectError, match="No such file or directory"):
        asyncio.run(transport.handle_async_request(httpx.Request("GET", "http://name/")))


def test_a_server_whose_queue_is_full_is_waited_for(tmp_path):
    path = str(tmp_path / "s.sock")
    taken: list[bytes] = []

    def serve(busy: socket.socket) -> None:
        busy.accept()[0].close()
        with busy.accept()[0] as connection:
            taken.append(connection.recv(1000))
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    async def main(busy: socket.socket) -> None:
        request = httpx.Request("GET", "http://name/")
        call = asyncio.create_task(UnixTransport(path).handle_async_request(request))
        await asyncio.sleep(0)  # It has met the full queue.
        response, _ = await asyncio.gather(call, asyncio.to_thread(serve, busy))
        assert response.status_code == 204

    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as first:
        busy.bind(path)
        busy.listen(0)
        busy.settimeout(10)
        first.connect(path)
        asyncio.run(main(busy))
    assert taken[0].startswith(b"GET / ")


def test_a_queue_that_stays_full_is_given_up(tmp_path):
    path = str(tmp_path / "s.sock")
    request = httpx.Request("GET", "http://name/", extensions={"timeout": {"connect": 0.0}})
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as first:
        busy.bind(path)
        busy.listen(0)
        first.connect(path)
        with pytest.raises(httpx.ConnectTimeout):
            asyncio.run(UnixTransport(path).handle_async_request(request))


def test_no_descriptor_left_is_told_as_the_kernel_tells_it(tmp_path):
    transport = UnixTransport(str(tmp_path / "s.sock"))

    async def main() -> None:
        _, hard = limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        try:
            with pytest.raises(httpx.ConnectError, match="Too many open files"):
                await transport.handle_async_request(httpx.Request("GET", "http://name/"))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    asyncio.run(main())


def test_a_server_that_says_nothing_is_given_up(tmp_path):
    """The kernel takes connections for whoever listens, and accepts none."""
    path = str(tmp_path / "s.sock")
    request = httpx.Request("GET", "http://name/", extensions={"timeout": {"read": 0.0}})
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(path)
        silent.listen()
        with pytest.raises(httpx.ReadTimeout):
            asyncio.run(UnixTransport(path).handle_async_request(request))


def test_a_stream_is_read_as_it_comes_and_left_at_any_time(tmp_path):
    left = asyncio.Event()

    async def serve(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await reader.read()  # Until we have gone.
        left.set()
        writer.close()

    async def main() -> None:
        path = str(tmp_path / "s.sock")
        async with await asyncio.start_unix_server(serve, path):
            request = httpx.Request("GET", "http://name/events")
            response = await UnixTransport(path).handle_async_request(request)
            assert await anext(response.aiter_raw()) == b"first"
            await response.aclose()
            await left.wait()

    asyncio.run(main())
