"""The same on TCP on both sides, over loopback."""

from __future__ import annotations

import asyncio
import errno
import queue
import socket

import pytest

from tests.unit.proxy.conftest import SECONDS, Peer, Sides
from waitforweave.docker.url import EngineUrl
from waitforweave.proxy import server, wire

GET = b"GET /v1.41/info HTTP/1.1\r\nHost: docker\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
UPGRADE = b"POST /session HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"


def loopback(host: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.create_server((host, 0), family=family)
    sock.setblocking(False)
    return sock


@pytest.fixture(params=["127.0.0.1", "::1", "localhost"])
def tcp(sides, request):
    host = request.param
    sides.upstream.close()
    sides.upstream = loopback("127.0.0.1" if host == "localhost" else host)
    port = sides.upstream.getsockname()[1]
    sides.start(engine=EngineUrl("tcp", host=host, port=port), listening=loopback("127.0.0.1"))
    return sides


def require_calls(sides: Sides, times: int) -> None:
    """Calls pass over one connection, one after the other."""
    client = sides.client(GET)
    engine = sides.engine()
    for _ in range(times):
        assert engine.head() == GET
        engine.send(OK)
        assert client.exactly(len(OK)) == OK
        client.send(GET)


def upgraded(sides: Sides) -> tuple[Peer, Peer]:
    client = sides.client(UPGRADE)
    engine = sides.engine()
    engine.head()
    engine.send(SWITCHED)
    client.head()
    return client, engine


def test_calls_pass(tcp):
    require_calls(tcp, 2)


def test_a_side_that_is_gone_without_a_word_is_found_out(tcp):
    async def served(client: wire.Wire) -> None:
        accepted.put(client._sock)

    accepted: queue.Queue[socket.socket] = queue.Queue()
    tcp.proxy.serve = served
    client = tcp.client()
    ours = accepted.get(timeout=SECONDS)
    dialed = asyncio.run_coroutine_threadsafe(wire.dial(tcp.proxy.engine), tcp.loop)
    for sock in (ours, dialed.result(SECONDS)):
        with sock:
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 15
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 15
    assert client.rest() == b""


def test_clients_wait_while_there_is_no_descriptor_for_them(sides, monkeypatch, caplog):
    accept, left = sides.loop.sock_accept, [1, 2, 3]

    async def sock_accept(listener: socket.socket) -> object:
        if left:
            left.pop()
            raise OSError(errno.EMFILE, "Too many open files")
        return await accept(listener)

    monkeypatch.setattr(sides.loop, "sock_accept", sock_accept)
    monkeypatch.setattr(server, "ACCEPT_AGAIN_SECONDS", 0.0)
    sides.start()
    require_calls(sides, 1)
    assert caplog.messages == ["cannot accept a client: Too many open files"]


def test_streams_end_one_direction_at_a_time(tcp):
    client, engine = upgraded(tcp)
    client.send(b"input")
    client.end()
    assert engine.rest() == b"input"
    engine.send(b"output")
    engine.close()
    assert client.rest() == b"output"


def test_a_client_that_leaves_a_quiet_stream_is_told_to_the_engine(tcp):
    client = tcp.client(GET)
    engine = tcp.engine()
    engine.head()
    engine.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    client.head()
    client.close()
    # net/http ends the call then, which ends it for us too.
    assert engine.rest() == b""
    engine.close()


def test_an_engine_without_a_listener_is_named(sides):
    with loopback("127.0.0.1") as taken:
        port = taken.getsockname()[1]
    sides.start(engine=EngineUrl("tcp", host="127.0.0.1", port=port))
    answer = sides.client(GET).rest()
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert b"the engine at tcp://127.0.0.1:%d cannot be reached: " % port in answer
