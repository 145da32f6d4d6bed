"""Adapters at real sockets: over TLS, on a unix socket, and those that speak no good HTTP."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.proxied import Message, changed
from tests.support.proxied import adapter as http_adapter
from tests.unit.proxy.conftest import SECONDS, Peer
from waitforweave.proxy import adapters, chain
from waitforweave.proxy.chain import Adapters
from waitforweave.proxy.protocol import ClientRequest
from waitforweave.proxy.refusal import Refusal

SENT = ClientRequest("POST", "/containers/create", "{}")
ANSWER = json.dumps(
    {"PowerstripProtocolVersion": 1, "ModifiedClientRequest": {
        "Method": "POST", "Request": "/containers/create?name=a", "Body": "{}"}}
).encode()  # fmt: skip


def asked(*urls: str, sent: ClientRequest = SENT) -> ClientRequest:
    """The outcome of the pre-hooks of adapters at these URLs, named a, b, ..."""

    async def run() -> ClientRequest:
        there = [adapters.adapter(name, url, 1) for name, url in zip("abc", urls, strict=False)]
        async with Adapters() as hooks:
            return await hooks.before(there, sent)

    return asyncio.run(run())


def refused(url: str, sent: ClientRequest = SENT) -> tuple[int, str]:
    with pytest.raises(Refusal) as raised:
        asked(url, sent=sent)
    return raised.value.code, json.loads(raised.value.body)["message"]


def naming(name: str) -> Callable[[Message], tuple[int, Message]]:
    """A hook that puts its name to the query."""

    def hook(message: Message) -> tuple[int, Message]:
        return changed(message, Request=message["ClientRequest"]["Request"] + name)

    return hook


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return Authority().folder(tmp_path_factory.mktemp("tls") / "ours")


def tls_of(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_https_by_the_usual_variables_authority_chained_with_http(folder, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    with http_adapter(naming("?a"), tls_of(folder)) as a, http_adapter(naming("&b")) as b:
        assert a.url.startswith("https://")
        assert asked(a.url, b.url).Request == "/containers/create?a&b"


def test_https_of_an_authority_that_nobody_knows_is_not_asked(folder, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with http_adapter(naming("?a"), tls_of(folder)) as a:
        code, message = refused(a.url)
        assert a.asked == []
    assert code == 502
    assert f"adapter a ({a.url}) cannot be reached: " in message
    assert "certificate verify failed" in message


@contextmanager
def speaking(listener: socket.socket, answer: bytes, *, reads: bool = True) -> Iterator[None]:
    """An adapter that says this to its one caller, after or before it has read the call."""

    def speak() -> None:
        sock, _ = listener.accept()
        with sock:
            peer = Peer(sock)
            if reads:
                head = peer.head().lower()
                peer.exactly(int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]))
            peer.send(answer)
            peer.end()
            peer.rest()

    listener.settimeout(SECONDS)
    with listener:
        thread = threading.Thread(target=speak)
        thread.start()
        try:
            yield
        finally:
            thread.join()


def on_loopback() -> tuple[socket.socket, str]:
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}/hook"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
        % (len(ANSWER), ANSWER),
        b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\n" + ANSWER,
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b"
        % (len(ANSWER), ANSWER),
    ],
    ids=["length", "chunked", "until the end", "after 100"],
)
@pytest.mark.parametrize("on_unix", [False, True])
def test_an_answer_may_be_framed_in_each_way(tmp_path, answer, on_unix):
    listener, url = on_loopback()
    if on_unix:
        listener.close()
        listener, url = socket.socket(socket.AF_UNIX), f"unix://{tmp_path}/a.sock:/hook"
        listener.bind(f"{tmp_path}/a.sock")
        listener.listen()
    with speaking(listener, answer):
        assert asked(url).Request == "/containers/create?name=a"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"\x15\x03\x01\x00\x02\x02\x46",
    ],
    ids=["nothing", "another protocol", "half a head", "half a body", "bad chunk", "two lengths",
         "a TLS alert"],
)  # fmt: skip
def test_what_is_no_http_is_told_with_the_adapters_name(answer):
    listener, url = on_loopback()
    with speaking(listener, answer):
        code, message = refused(url)
    assert code == 502
    assert message.startswith(f"weavewait proxy: adapter a ({url}) ")


def test_a_refusal_before_the_call_was_read_is_the_clients(folder):
    listener, url = on_loopback()
    answer = (
        b"HTTP/1.1 413 Too Large\r\nContent-Type: application/json\r\nContent-Length: 22\r\n\r\n"
    )
    large = ClientRequest("POST", "/containers/create", '"' + "x" * (4 << 20) + '"')
    with speaking(listener, answer + b'{"message": "too big"}', reads=False):
        assert refused(url, large) == (413, "too big")


def test_one_that_never_answers_is_given_up(monkeypatch):
    monkeypatch.setattr(chain, "ADAPTER_SECONDS", 0.2)
    listener, url = on_loopback()
    # Nobody accepts: the kernel does, and the call waits for its answer.
    with listener:
        code, message = refused(url)
    assert code == 504
    assert message.startswith(f"weavewait proxy: adapter a ({url}) did not answer within ")
