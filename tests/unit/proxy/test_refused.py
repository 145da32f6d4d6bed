"""What the proxy answers itself: bad requests, an engine that is not there or says nonsense."""

from __future__ import annotations

import json
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
    "NUL in a header": POST + b"X: a\0b\r\n\r\n",
    "a blank before the colon": POST + b"Content-Length : 4\r\n\r\nabcd",
    "a control character in the path": b"GET /a\x01b HTTP/1.1\r\nHost: d\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "HTTP/2 by prior knowledge": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a head without end": POST + b"X: " + b"a" * 600_000,
}


@pytest.mark.parametrize("request_", SMUGGLED.values(), ids=list(SMUGGLED))
def test_a_head_that_can_be_read_in_two_ways_reaches_no_engine(sides, request_):
    sides.start()
    client = sides.client(request_ + GET)
    status, message = answered(client)
    assert status in (400, 431, 501, 505)
    assert message.startswith("weavewait proxy: ")
    assert sides.engine_is_untouched()


BAD_CHUNKS = {
    "no number": b"xyz\r\nabc\r\n",
    "a sign": b"+3\r\nabc\r\n",
    "0x": b"0x3\r\nabc\r\n",
    "17 digits": b"00000000000000003\r\nabc\r\n",
    "a bare line feed": b"3\nabc\r\n",
    "longer than it says": b"3\r\nabcd\r\n",
    "no line end": b"3\r\nabc0\r\n",
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
    "a head without end": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 600_000,
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
