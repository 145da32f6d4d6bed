"""What the proxy answers itself: bad requests, an engine that is not there or says nonsense."""

from __future__ import annotations

import json
import socket
from contextlib import suppress

import pytest

GET = b"GET /v1.41/info HTTP/1.1\r\nHost: docker\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
POST = b"POST /x HTTP/1.1\r\nHost: d\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def answered(client) -> tuple[int, str]:
    """Status and message of the last answer on this connection."""
    head, _, body = client.rest().partition(b"\r\n\r\n")
    assert b"Connection: close" in head
    assert b"Content-Type: application/json" in head
    return int(head.split()[1]), json.loads(body)["message"]


SMUGGLED = {
    "both lengths": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
    "a length that is none": POST + b"Content-Length: +4\r\n\r\nabcd",
    "a length of 5,000 digits": POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length twice": POST + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
    "a list of lengths": POST + b"Content-Length: 4, 4\r\n\r\nabcd",
    "an empty length": POST + b"Content-Length:\r\n\r\n",
    "a length in hexadecimal": POST + b"Content-Length: 0x4\r\n\r\nabcd",
    "a length below zero": POST + b"Content-Length: -1\r\n\r\n",
    "Transfer-Encoding twice": POST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n",
    "another coding": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "no coding": POST + b"Transfer-Encoding: identity\r\nContent-Length: 1\r\n\r\na",
    "a coding that is nearly chunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a coding behind a control character": (
        POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"
    ),
    "a folded header": POST + b"X: a\r\n b\r\n\r\n",
    "a folded length": POST + b"Content-Length:\r\n 4\r\n\r\nabcd",
    "a blank before the first header": b"GET / HTTP/1.1\r\n Host: d\r\n\r\n",
    "a bare line feed": POST + b"X: a\nContent-Length: 4\r\n\r\nabcd",
    "a bare line feed at the end": b"GET / HTTP/1.1\r\nHost: d\n\r\n\r\n",
    "a bare carriage return": POST + b"X: a\rContent-Length: 4\r\n\r\nabcd",
    "NUL in a name": POST + b"X\0: a\r\n\r\n",
    "NUL in the path": b"GET /\0 HTTP/1.1\r\nHost: d\r\n\r\n",
    "a line without a colon": POST + b"Content-Length\r\n\r\n",
    "a header without a name": POST + b": 4\r\n\r\n",
    "an empty line first": b"\r\n" + GET,
    "two blanks": b"GET  / HTTP/1.1\r\nHost: d\r\n\r\n",
    "a blank in the path": b"GET /a b HTTP/1.1\r\nHost: d\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP in lower case": b"GET / http/1.1\r\nHost: d\r\n\r\n",
    "a long version": b"GET / HTTP/1.10\r\nHost: d\r\n\r\n",
    "NUL in a header": POST + b"X: a\0b\r\n\r\n",
    "a blank before the colon": POST + b"Content-Length : 4\r\n\r\nabcd",
    "a control character in the path": b"GET /a\x01b HTTP/1.1\r\nHost: d\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "HTTP/2 by prior knowledge": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a head without end": POST + b"X: " + b"a" * 1_200_000,
    "an overlong head": POST + b"X: " + b"a" * 1_100_000 + b"\r\n\r\n",
}


# As net/http answers them; all others are 400.
OTHER = {
    "chunked twice": 501,
    "Transfer-Encoding twice": 501,
    "another coding": 501,
    "a coding that is nearly chunked": 501,
    "HTTP/2 by prior knowledge": 505,
    "a head without end": 431,
    "an overlong head": 431,
}


@pytest.mark.parametrize("name", list(SMUGGLED))
def test_a_head_that_can_be_read_in_two_ways_reaches_no_engine(sides, name):
    sides.start()
    client = sides.client(SMUGGLED[name] + GET)
    status, message = answered(client)
    assert status == OTHER.get(name, 400)
    assert message.startswith("weavewait proxy: ")
    assert sides.engine_is_untouched()


NEVER_A_HEAD = {
    "bare line feeds": b"GET / HTTP/1.1\nHost: d\n\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "an empty line": b"\r\n",
}


@pytest.mark.parametrize("came", NEVER_A_HEAD.values(), ids=list(NEVER_A_HEAD))
def test_what_cannot_become_a_head_is_answered_at_once(sides, came):
    """The client says no more and waits."""
    sides.start()
    assert answered(sides.client(came))[0] == 400


BAD_CHUNKS = {
    "no number": b"xyz\r\nabc\r\n",
    "a sign": b"+3\r\nabc\r\n",
    "0x": b"0x3\r\nabc\r\n",
    "17 digits": b"00000000000000003\r\nabc\r\n",
    "a bare line feed": b"3\nabc\r\n",
    "longer than it says": b"3\r\nabcd\r\n",
    "no line end": b"3\r\nabc0\r\n",
    "a size below zero": b"-3\r\nabc\r\n",
    "an empty size": b"\r\nabc\r\n",
    "a blank before the size": b" 3\r\nabc\r\n",
    "a bare line feed behind a chunk": b"3\r\nabc\n3\r\nabc\r\n",
    "a bare carriage return in an extension": b"3;a\rb\r\nabc\r\n",
    "a second chunk that lies": b"3\r\nabc\r\n4\r\nabc\r\n0\r\n\r\n",
    "a second size that is none": b"3\r\nabc\r\nz\r\nabc\r\n0\r\n\r\n",
    "NUL in an extension": b"3;\0\r\nabc\r\n",
    "a size line without end": b"3;" + b"a" * 20_000,
    "a trailer that is none": b"0\r\nno colon\r\n\r\n",
    "a folded trailer": b"0\r\nA: b\r\n c\r\n\r\n",
}


@pytest.mark.parametrize("chunks", BAD_CHUNKS.values(), ids=list(BAD_CHUNKS))
def test_chunks_that_can_be_read_in_two_ways_end_the_call(sides, chunks):
    sides.start()
    client = sides.client(CHUNKED + chunks)
    assert not sides.engine().rest().endswith(b"\r\n0\r\n\r\n")
    status, message = answered(client)
    assert status == 400
    assert "chunk" in message or "trailer" in message


def test_a_client_still_sending_can_read_why_it_was_refused(sides):
    sides.start()
    client = sides.client(SMUGGLED["no host"])
    for _ in range(20):
        client.send(b"x" * 10_000)
    assert answered(client)[0] == 400


def test_an_engine_that_is_not_there_is_named(sides):
    sides.start()
    sides.upstream.close()
    status, message = answered(sides.client(GET))
    assert status == 502
    assert f"engine at unix://{sides.engine_path} cannot be reached: Connection refused" in message


def test_an_engine_too_busy_to_take_another_client_is_named(sides):
    sides.start()
    sides.upstream.listen(0)
    first = sides.peer(socket.socket(socket.AF_UNIX))
    first.sock.connect(str(sides.engine_path))
    status, message = answered(sides.client(GET))
    assert status == 502
    assert "cannot be reached: Resource temporarily unavailable" in message


def test_an_engine_that_comes_back_is_used_again(sides, tmp_path):
    sides.start()
    sides.upstream.close()
    sides.engine_path.unlink()
    assert answered(sides.client(GET))[0] == 502
    sides.listen()
    client = sides.client(GET)
    engine = sides.engine()
    engine.head()
    engine.send(OK)
    assert client.exactly(len(OK)) == OK


def test_a_refusal_of_head_has_no_body(sides):
    sides.start()
    sides.upstream.close()
    client = sides.client(GET.replace(b"GET", b"HEAD"))
    assert client.rest().endswith(b"\r\n\r\n")


ODD_ANSWERS = {
    "none": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nCont",
    "no HTTP": b"220 smtp ready\r\n\r\n",
    "a head without end": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1_200_000,
    "both lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
}


@pytest.mark.parametrize("answer", ODD_ANSWERS.values(), ids=list(ODD_ANSWERS))
def test_an_engine_that_gives_no_answer(sides, answer):
    sides.start()
    client = sides.client(GET)
    engine = sides.engine()
    engine.head()
    with suppress(BrokenPipeError):  # Nobody reads a head to its end that has none.
        engine.send(answer)
        engine.end()
    status, message = answered(client)
    assert status == 502
    assert "engine" in message


def test_a_call_that_was_sent_is_never_sent_again(sides):
    """Nobody knows what the engine did with it before it went."""
    sides.start()
    client = sides.client(GET)
    for last in (False, True):
        engine = sides.engine()
        assert engine.head() == GET
        if last:
            break
        engine.send(OK)
        assert client.exactly(len(OK)) == OK
        engine.close()
        client.send(GET)
    engine.close()
    assert answered(client)[0] == 502
    assert sides.engine_is_untouched()


def test_an_answer_with_bad_chunks_is_cut_not_mended(sides):
    sides.start()
    client = sides.client(GET)
    engine = sides.engine()
    engine.head()
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    engine.send(head)
    client.head()
    engine.send(b"zz\r\n")
    assert client.rest() == b""


def test_what_an_engine_says_unasked_is_nobodys_answer(sides):
    """Never a byte of one call in another's answer."""
    sides.start()
    client = sides.client(GET)
    engine = sides.engine()
    engine.head()
    engine.send(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nothers")
    assert client.exactly(len(OK)) == OK
    client.send(GET)
    engine = sides.engine()
    assert engine.head() == GET
    engine.send(OK)
    assert client.exactly(len(OK)) == OK
