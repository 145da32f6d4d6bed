"""TLS to an engine of another make: who it is, and what it wants of us."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable

import pytest

from tests.unit.proxy.conftest import Peer, Sides
from tests.unit.proxy.test_tcp import GET, OK, SWITCHED, UPGRADE, loopback
from tests.unit.proxy.test_tls import listens
from waitforweave.docker.url import EngineUrl
from waitforweave.proxy import tls
from waitforweave.proxy.certificates import engine_context


def speaking(sides: Sides, folder) -> tuple[EngineUrl, Callable[[], Peer]]:
    """An engine that speaks TLS, by Python's own, and the proxy's next connection to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")

    def engine() -> Peer:
        return sides.peer(context.wrap_socket(sides.engine().sock, server_side=True))

    return sides.listen_on(loopback("127.0.0.1")), engine


def test_an_engine_of_another_make(sides, folder):
    url, engine = speaking(sides, folder)
    sides.start(engine=url, engine_tls=engine_context(folder, verify=True))
    client = sides.client(GET)
    there = engine()
    assert there.head() == GET
    there.send(OK)
    assert client.exactly(len(OK)) == OK


def test_whoever_the_engine_is_unless_asked_to_verify(sides, folders, folder):
    url, engine = speaking(sides, folders["another's"])
    sides.start(engine=url, engine_tls=engine_context(folder, verify=False))
    client = sides.client(GET)
    there = engine()
    assert there.head() == GET
    there.send(OK)
    assert client.exactly(len(OK)) == OK


@pytest.mark.parametrize(
    ("whose", "said"),
    [
        ("another's", "certificate verify failed: unable to get local issuer certificate"),
        ("elsewhere", "certificate verify failed: IP address mismatch"),
    ],
)
def test_an_engine_that_is_somebody_else_is_not_spoken_to(sides, folders, folder, whose, said):
    url, engine = speaking(sides, folders[whose])
    sides.start(engine=url, engine_tls=engine_context(folder, verify=True))
    client = sides.client(GET)
    with pytest.raises(ssl.SSLError):
        engine().head()
    answer = client.rest().decode()
    assert answer.startswith("HTTP/1.1 502 ")
    assert f"the engine at {url} cannot be reached: TLS: {said}" in answer


def test_an_engine_that_wants_a_certificate_that_we_have_not(sides, folder, tmp_path, logged):
    """In TLS 1.3 it says so when we think to be connected already."""
    (tmp_path / "ca.pem").write_bytes((folder / "ca.pem").read_bytes())
    far = loopback("127.0.0.1")
    url = sides.listen_on(far)
    sides.start(engine=url, engine_tls=engine_context(tmp_path, verify=True))
    client = sides.client(GET)
    with pytest.raises(ssl.SSLError):
        listens(folder).wrap_socket(sides.engine().sock, server_side=True)
    assert client.rest().startswith(b"HTTP/1.1 502 ")
    assert logged() == f"{url}: TLS ended: tlsv13 alert certificate required"


def test_an_engine_that_speaks_no_tls_is_named(sides, folder):
    url = sides.listen_on(loopback("127.0.0.1"))
    sides.start(engine=url, engine_tls=engine_context(folder, verify=True))
    client = sides.client(GET)
    engine = sides.engine()
    engine.until(b"\x16")
    engine.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    said = f"the engine at {url} cannot be reached: TLS: wrong version number"
    assert said in client.rest().decode()


@pytest.mark.parametrize("answer", [SWITCHED, b"HTTP/1.1 200 OK\r\n\r\n"])
@pytest.mark.parametrize("cut", [False, True])
def test_a_stream_that_is_cut_does_not_end_as_if_all_were_said(sides, folder, answer, cut):
    """Without close_notify anybody on the way may have ended it."""
    url, engine = speaking(sides, folder)
    context = engine_context(folder, verify=True)
    sides.start(engine=url, engine_tls=context, listening=loopback("127.0.0.1"))
    client = sides.client(UPGRADE)
    there = engine()
    there.head()
    there.send(answer + b"output")
    assert client.exactly(len(answer) + 6) == answer + b"output"
    if cut:
        there.sock.shutdown(socket.SHUT_RDWR)
        with pytest.raises(ConnectionResetError):
            client.rest()
    else:
        client.end()
        assert isinstance(there.sock, ssl.SSLSocket)
        there.sock.unwrap()
        there.close()
        assert client.rest() == b""


def test_what_is_not_there_for_a_connection_is_no_descriptor_lost(sides, folder, monkeypatch):
    """Too many open files, behind the handshake."""

    def none() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    url, engine = speaking(sides, folder)
    sides.start(engine=url, engine_tls=engine_context(folder, verify=True))
    client = sides.client(GET)
    monkeypatch.setattr(tls, "pair", none)
    there = engine()
    assert there.rest() == b""
    assert "cannot be reached: Too many open files" in client.rest().decode()
