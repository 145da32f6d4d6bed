"""Calls after the first of a connection: small ones pass as they come, and whatever is none of
those, or turns out to be none while it is under way, is a call like any other."""

from __future__ import annotations

import asyncio
import socket
import tracemalloc

import pytest

from tests.unit.proxy.conftest import DONE, SECONDS, START, Peer, Sides, unchanged
from tests.unit.proxy.test_tcp import GET, OK, SWITCHED, UPGRADE
from waitforweave.proxy import wire
from waitforweave.proxy.parsing import read_request
from waitforweave.proxy.small import SmallCalls, is_small_answer, small_request
from waitforweave.proxy.wire import Wire

HEAD = b"HEAD /_ping HTTP/1.1\r\nHost: docker\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n"
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


def used(sides: Sides) -> tuple[Peer, Peer]:
    """A client and its connection to the engine, behind a first call."""
    client = sides.client(GET)
    engine = sides.engine()
    require_passes(client, engine)
    return client, engine


def require_passes(client: Peer, engine: Peer) -> None:
    """The call that the client has sent."""
    assert engine.head() == GET
    engine.send(OK)
    assert client.exactly(len(OK)) == OK


@pytest.mark.parametrize("answer", [OK, CHUNKED, b"HTTP/1.1 204 No Content\r\n\r\n"])
def test_many_calls_over_one_connection(sides, answer):
    sides.start()
    client, engine = used(sides)
    for _ in range(3):
        client.send(GET)
        assert engine.head() == GET
        engine.send(answer)
        assert client.exactly(len(answer)) == answer


def test_the_same_head_answers_another_call(sides):
    """What was whole for HEAD goes on for GET, and the other way round."""
    sides.start()
    client, engine = used(sides)
    head_only = OK.removesuffix(b"OK")
    for _ in range(2):
        client.send(HEAD)
        assert engine.head() == HEAD
        engine.send(head_only)
        assert client.exactly(len(head_only)) == head_only
        client.send(GET)
        assert engine.head() == GET
        engine.send(head_only)
        assert client.exactly(len(head_only)) == head_only
        engine.send(b"OK")
        assert client.exactly(2) == b"OK"
        client.send(GET)
        require_passes(client, engine)


@pytest.mark.parametrize("answer", [OK, CHUNKED])
def test_either_in_pieces(sides, answer):
    sides.start()
    client, engine = used(sides)
    client.send(GET[:20])
    client.send(GET[20:])
    assert engine.head() == GET
    for at in range(0, len(answer), 7):
        engine.send(answer[at : at + 7])
    assert client.exactly(len(answer)) == answer
    client.send(GET)
    require_passes(client, engine)


def test_interim_answers_come_before_the_final_one(sides):
    sides.start()
    client, engine = used(sides)
    client.send(GET)
    engine.head()
    early = b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
    engine.send(early)
    assert client.head() == early
    engine.send(OK)
    assert client.exactly(len(OK)) == OK
    client.send(GET)
    require_passes(client, engine)


def test_calls_sent_ahead_wait_for_their_turn(sides):
    sides.start()
    client, engine = used(sides)
    client.send(GET + GET)
    require_passes(client, engine)
    require_passes(client, engine)
    client.send(GET)
    assert engine.head() == GET
    client.send(GET)
    engine.send(OK)
    assert client.exactly(len(OK)) == OK
    require_passes(client, engine)


def test_a_client_that_leaves_takes_its_call_along(sides):
    sides.start()
    client, engine = used(sides)
    client.send(GET)
    engine.head()
    client.close()
    assert engine.rest() == b""


def test_an_engine_that_closed_meanwhile_is_connected_to_anew(sides):
    sides.start()
    client, engine = used(sides)
    engine.close()
    client.send(GET)
    require_passes(client, sides.engine())


def test_what_an_engine_says_unasked_is_no_answer(sides):
    sides.start()
    client, engine = used(sides)
    engine.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
    client.send(GET)
    anew = sides.engine()
    require_passes(client, anew)
    client.send(GET)
    require_passes(client, anew)


@pytest.mark.parametrize(
    "said", [b"", b"nonsense\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"]
)
def test_an_engine_that_gives_no_answer(sides, said):
    sides.start()
    client, engine = used(sides)
    client.send(GET)
    engine.head()
    engine.send(said)
    engine.close()
    assert client.rest().startswith(b"HTTP/1.1 502 ")


def test_what_is_no_request_is_refused(sides):
    sides.start()
    client, engine = used(sides)
    client.send(b"GET / HTTP/1.1\r\nHost : d\r\n\r\n")
    assert client.rest().startswith(b"HTTP/1.1 400 ")
    assert engine.rest() == b""


def test_a_stream_behind_calls(sides):
    sides.start()
    client, engine = used(sides)
    client.send(UPGRADE)
    assert engine.head() == UPGRADE
    engine.send(SWITCHED + b"early")
    assert client.exactly(len(SWITCHED) + 5) == SWITCHED + b"early"
    client.send(b"input")
    assert engine.exactly(5) == b"input"


def test_an_answer_until_the_connections_end(sides):
    sides.start()
    client, engine = used(sides)
    client.send(GET)
    engine.head()
    engine.send(CLOSING + b"a")
    engine.close()
    assert client.rest() == CLOSING + b"a"


def test_a_client_that_is_slow_to_read_gets_all():
    client, ours = socket.socketpair()
    theirs, engine = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + b"x" * 50000

    async def run() -> bytes:
        loop = asyncio.get_running_loop()
        calls = SmallCalls(Wire(ours), Wire(theirs), lambda _: True)
        running = asyncio.create_task(calls.run())
        client.sendall(GET)
        assert await loop.sock_recv(engine, 1000) == GET
        engine.send(answer)  # All of it is there when it is read.
        got = b""
        while len(got) < len(answer):
            got += await loop.sock_recv(client, 100000)
        assert await running is None
        return got

    with client, ours, theirs, engine:
        client.setblocking(False)
        engine.setblocking(False)
        assert asyncio.run(asyncio.wait_for(run(), SECONDS)) == answer


def test_an_idle_client_does_not_cost_its_last_answer(sides):
    sides.start()
    client, engine = used(sides)
    tracemalloc.start()
    try:
        client.send(GET)
        engine.head()
        # One piece of a unix socket's, so that all of it is read at once.
        engine.send(b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + b"x" * 20000)
        client.head()
        client.exactly(20000)
        # When this is done, so is what passed the answer on.
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), sides.loop).result(SECONDS)
        kept = tracemalloc.take_snapshot()
    finally:
        tracemalloc.stop()
    read = kept.filter_traces([tracemalloc.Filter(True, wire.__file__)])
    assert sum(trace.size for trace in read.traces) < 10000


def test_adapters_see_later_calls_too(sides):
    sides.start({"POST /*": {"pre": ["a"], "post": ["a"]}}, a=unchanged)
    client, engine = used(sides)
    client.send(START)
    assert engine.head() == START
    engine.send(DONE)
    assert client.head() == DONE
    assert sides.kinds() == [("a", "pre-hook"), ("a", "post-hook")]
    client.send(GET)
    require_passes(client, engine)


def test_the_proxys_own_path_behind_calls(sides):
    sides.start()
    client, engine = used(sides)
    client.send(b"GET /_weavewait HTTP/1.1\r\nHost: d\r\n\r\n")
    assert b'"engine": "unix://' in client.rest()
    assert engine.rest() == b""


def test_an_answer_is_small_when_it_is_whole_and_another_may_follow():
    get, head = read_request(GET), read_request(HEAD)
    for answer in (OK, CHUNKED, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"):
        assert is_small_answer(get, answer)
        for cut in range(len(answer)):
            assert not is_small_answer(get, answer[:cut])
        assert not is_small_answer(get, answer + b"x")
    assert is_small_answer(head, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
    assert not is_small_answer(head, OK)
    for other in (
        CLOSING,
        SWITCHED,
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"x\n",
        OK.replace(b"2", b"x"),
    ):
        assert not is_small_answer(get, other)


def test_a_request_is_small_when_it_is_whole_and_has_no_body():
    request = small_request(GET)
    assert request is not None
    assert request.came == GET
    assert not any(small_request(GET[:cut]) for cut in range(len(GET)))
    post = b"POST / HTTP/1.1\r\nHost: d\r\n%s\r\n\r\n"
    assert small_request(post % b"Content-Length: 0")
    for header in (b"Content-Length: 1", b"Transfer-Encoding: chunked", b"Connection: close", b":"):
        assert small_request(post % header) is None
    assert small_request(GET + GET) is None
