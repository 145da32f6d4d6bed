"""TLS on both sides: one proxy speaks it to another one's listener, and plain sockets are at both
ends; so a half-closed side must be one at the far end too."""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tests.support.certificates import client_context
from tests.unit.proxy.conftest import SECONDS, Peer, Sides
from tests.unit.proxy.test_tcp import (
    GET,
    OK,
    SWITCHED,
    UPGRADE,
    loopback,
    require_calls,
    upgraded,
)
from waitforweave.docker.url import EngineUrl
from waitforweave.proxy.adapters import parse
from waitforweave.proxy.certificates import engine_context, listener_context
from waitforweave.proxy.chain import Adapters
from waitforweave.proxy.connection import Proxy
from waitforweave.proxy.server import accept

MIB = 1 << 20
NOTHING = "endpoints: {}\nadapters: {}\n"


def listens(folder) -> ssl.SSLContext:
    return listener_context(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")


@pytest.fixture
def between(sides: Sides, folder) -> Sides:
    """The client's proxy and the engine's, and TLS in between."""
    far = loopback("127.0.0.1")
    sides.others.append(far)
    proxy = Proxy(EngineUrl("unix", path=str(sides.engine_path)), parse(NOTHING), Adapters())
    accepting = accept(far, proxy, set(), listens(folder))
    asyncio.run_coroutine_threadsafe(accepting, sides.loop)
    url = EngineUrl("tcp", host="127.0.0.1", port=far.getsockname()[1])
    sides.start(engine=url, engine_tls=engine_context(folder, verify=True))
    return sides


def test_calls_pass_one_after_the_other(between):
    require_calls(between, 3)


def test_the_clients_end_is_the_engines_and_the_output_still_flows(between):
    client, engine = upgraded(between)
    client.send(b"input")
    client.end()
    assert engine.rest() == b"input"
    engine.send(b"output")
    engine.close()
    assert client.rest() == b"output"


def test_the_engines_end_is_the_clients_and_the_input_still_flows(between):
    client, engine = upgraded(between)
    engine.send(b"output")
    engine.end()
    assert client.rest() == b"output"
    client.send(b"input")
    client.end()
    assert engine.rest() == b"input"


def test_much_both_ways_at_once(between):
    ends = upgraded(between)
    data = bytes(range(256)) * (4 * MIB // 256)
    for end in ends:
        # Of a send it is for the whole. Set before both threads have the socket, whose mode it is.
        end.sock.settimeout(None)
    with ThreadPoolExecutor() as pool:
        sending = [pool.submit(send_all, end, data) for end in ends]
        for each in [pool.submit(end.rest) for end in ends]:
            assert each.result() == data
        for done in sending:
            done.result()


def send_all(peer: Peer, data: bytes) -> None:
    peer.send(data)
    peer.end()


def test_a_side_that_does_not_read_holds_the_other_one_up(between):
    client, engine = upgraded(between)
    sent = filled(client.sock, 128 * MIB)
    assert sent < 128 * MIB
    client.end()
    assert len(engine.rest()) == sent


def filled(sock: socket.socket, limit: int) -> int:
    """Send until nothing more is taken; how much it was."""
    sent = 0
    sock.settimeout(0.5)
    with suppress(TimeoutError):
        while sent < limit:
            sent += sock.send(b"x" * MIB)
    return sent


def test_a_client_that_leaves_a_quiet_stream_is_told_to_the_engine(between):
    client = between.client(GET)
    engine = between.engine()
    engine.head()
    engine.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    client.head()
    client.close()
    assert engine.rest() == b""
    engine.close()


def test_an_engine_that_leaves_is_told_to_the_client(between):
    client, engine = upgraded(between)
    engine.close()
    assert client.rest() == b""


# One side alone, and what is not ours on the other.


@pytest.fixture
def secured(sides: Sides, folder) -> Sides:
    """A proxy that listens with TLS, before a plain engine."""
    sides.start(listening=loopback("127.0.0.1"), clients_tls=listens(folder))
    return sides


def connected(sides: Sides, context: ssl.SSLContext) -> ssl.SSLSocket:
    sock = socket.create_connection(sides.listening.getsockname(), timeout=10)
    try:
        return context.wrap_socket(sock, server_hostname="127.0.0.1")
    except BaseException:
        sock.close()
        raise


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_of_another_make(secured, folder, version):
    context = client_context(folder)
    context.minimum_version = context.maximum_version = version
    with connected(secured, context) as client:
        client.sendall(GET)
        engine = secured.engine()
        assert engine.head() == GET
        engine.send(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        answer = b""
        while piece := client.recv(100):
            answer += piece
        assert answer.endswith(b"\r\n\r\nOK")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("own", ["none", "another's"])
def test_a_client_whom_nobody_knows_is_told_so(secured, folders, own, version, logged):
    context = client_context(folders["ours"], own=False)
    if own != "none":
        context.load_cert_chain(folders[own] / "cert.pem", folders[own] / "key.pem")
    context.minimum_version = context.maximum_version = version
    with pytest.raises(ssl.SSLError, match="alert"):
        said_to(secured, context, GET)
    assert secured.engine_is_untouched()
    assert ": no TLS: " in logged()


def said_to(sides: Sides, context: ssl.SSLContext, sent: bytes) -> bytes:
    """The first of an answer. In TLS 1.3 a client is done with its handshake before the server has
    looked at its certificate."""
    with connected(sides, context) as client:
        client.sendall(sent)
        return client.recv(65536)


def test_a_client_without_tls_is_told_so(secured):
    said = b"Client sent an HTTP request to an HTTPS server.\n"
    assert secured.client(GET).rest().endswith(b"\r\n\r\n" + said)
    assert secured.engine_is_untouched()


def test_a_client_that_says_nothing_is_left(secured, monkeypatch):
    monkeypatch.setattr("waitforweave.proxy.tls.HANDSHAKE_SECONDS", 0.0)
    assert secured.client().rest() == b""


@pytest.mark.parametrize("reset", [False, True])
def test_a_client_that_is_gone_without_a_word_takes_its_call_along(secured, folder, reset):
    """Killed, or cut off: no close_notify."""
    with connected(secured, client_context(folder)) as client:
        client.sendall(GET)
        engine = secured.engine()
        engine.head()
        if reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert engine.rest() == b""
    engine.close()


@pytest.mark.parametrize("cut", [False, True])
def test_a_stream_that_is_cut_does_not_end_as_if_all_were_said(secured, folder, cut):
    context = client_context(folder)
    with (
        socket.create_connection(secured.listening.getsockname(), timeout=10) as plain,
        context.wrap_socket(
            plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False
        ) as client,
    ):
        client.sendall(UPGRADE)
        engine = secured.engine()
        engine.head()
        engine.send(SWITCHED + b"output")
        client.sendall(b"input")
        assert select.select([engine.sock], [], [], SECONDS)[0]
        if not cut:
            engine.exactly(5)
        got = client.recv(65536)
        while not got.endswith(b"output"):
            got += client.recv(65536)
        engine.close()  # With bytes unread: a reset.
        if cut:
            with pytest.raises(ssl.SSLEOFError):
                client.recv(1)
        else:
            assert client.recv(1) == b""
