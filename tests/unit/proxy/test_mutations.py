"""Requests with bytes changed, dropped and repeated: an answer or an end, never a hang or a crash,
and the engine gets nothing that a strict reader would not take for whole requests."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import h11
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.proxy.conftest import unchanged

REQUESTS = [
    b"GET /_ping HTTP/1.1\r\nHost: d\r\nX-Y: z\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: d\r\nContent-Length: 11\r\n\r\nhello world",
    b"PUT /a HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;x\r\nhello\r\n6\r\n world\r\n0\r\nT: u\r\n\r\n",
    b"POST /hooked HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
    b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
]
CHANGES = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 3), st.binary(max_size=3)), max_size=3
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"


def mutated(request: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """The request with a few bytes at a few places replaced."""
    for at, length, new in changes:
        request = request[:at] + new + request[at + length :]
    return request


class Engine:
    """Reads each connection strictly and answers its requests; `odd` is what was no request."""

    def __init__(self, listener: socket.socket) -> None:
        self.odd: list[str] = []
        self.listener = listener
        listener.setblocking(True)
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self.listener.accept()
                with peer, suppress(ConnectionError):
                    peer.settimeout(10)
                    self.answer(peer)

    def answer(self, peer: socket.socket) -> None:
        http = h11.Connection(h11.SERVER)
        while True:
            event = self.next_event(http)
            if event is h11.NEED_DATA:
                http.receive_data(peer.recv(65536))
            elif isinstance(event, h11.EndOfMessage):
                http.send(h11.Response(status_code=200, headers=[("Content-Length", "2")]))
                http.send(h11.Data(data=b"OK"))
                http.send(h11.EndOfMessage())
                peer.sendall(OK)
                if http.our_state is not h11.DONE or http.their_state is not h11.DONE:
                    return
                http.start_next_cycle()
            elif not isinstance(event, h11.Request | h11.Data):
                return

    def next_event(self, http: h11.Connection) -> object:
        try:
            return http.next_event()
        except h11.RemoteProtocolError as error:
            # A client that is cut off is so for the engine too; anything else is our doing.
            if "closed connection" not in str(error) and "complete message" not in str(error):
                self.odd.append(str(error))
            return None

    def stop(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()


@pytest.fixture
def strict(sides):
    sides.start({"POST /hooked": {"pre": ["a"], "post": ["a"]}}, a=unchanged)
    engine = Engine(sides.upstream)
    yield engine
    engine.stop()


@settings(
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.sampled_from(REQUESTS), CHANGES, st.sampled_from(REQUESTS))
def test_any_bytes_have_an_answer_or_an_end(sides, strict, first, changes, second):
    client = sides.client()
    with suppress(BrokenPipeError):  # It may have seen enough.
        client.send(mutated(first, changes) + second)
        client.end()
    answer = client.rest()
    client.close()
    assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
    assert strict.odd == []
