"""HTTP between client and engine where no adapter is asked: the same bytes on both sides."""

from __future__ import annotations

import pytest

GET = b"GET /v1.41/info HTTP/1.1\r\nHost: docker\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"


@pytest.fixture(autouse=True)
def _started(sides):
    sides.start()


REQUESTS = {
    "a head in its own case and order": (
        b"GET / HTTP/1.1\r\nx-B: 1\r\nHOST: d\r\nX-a: 2\r\nx-B: 3\r\n\r\n"
    ),
    "blanks around a value, and none": (
        b"GET / HTTP/1.1\r\nHost:d\r\nX:  a b \t\r\nEmpty:\r\n\r\n"
    ),
    "letters beyond ASCII": b"GET / HTTP/1.1\r\nHost: d\r\nX: \xc3\xa4\xff\r\n\r\n",
    "a target with its host (RFC 9112 3.2.2)": (
        b"GET http://d/v1.41/info HTTP/1.1\r\nHost: d\r\n\r\n"
    ),
    "a long head (X-Registry-Config)": (
        b"GET / HTTP/1.1\r\nHost: d\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n"
    ),
    "a body with a length": b"POST /x HTTP/1.1\r\nHost: d\r\ncontent-length: 4\r\n\r\na\r\nb",
    "an empty body with a length": b"POST /x HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n",
    "no body and no length (moby#33501)": b"POST /x HTTP/1.1\r\nHost: d\r\n\r\n",
    "chunks": (
        b"PUT /x HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    ),
    "chunks with extensions and trailers": (
        b"PUT /x HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n"
        b'00A;q="x"\r\n0123456789\r\n0\r\nT: 1\r\n\r\n'
    ),
    "letters beyond ASCII in the target": (b"GET /x/\xc3\xa4?q=\xff HTTP/1.1\r\nHost: d\r\n\r\n"),
    "a host with a comma": b"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n",
    "a client of HTTP/1.0 without a host": b"GET / HTTP/1.0\r\n\r\n",
    "a method that nobody knows": b"BREW /x?y=%20z HTTP/1.1\r\nHost: d\r\n\r\n",
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=list(REQUESTS))
def test_the_engine_gets_the_request_byte_for_byte(sides, request_):
    got, _ = sides.exchange(request_, OK)
    assert got == request_


RESPONSES = {
    "a length": OK,
    "a head in its own case and order": (
        b"HTTP/1.1 200 Fine\r\nx-B: 1\r\nCONTENT-length: 0\r\nX-a: 2\r\n\r\n"
    ),
    "no reason": b"HTTP/1.1 409 \r\nContent-Length: 0\r\n\r\n",
    "204": b"HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n",
    "304": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "an end that is the connection's": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil here",
    "chunks and trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"1\r\na\r\n2\r\nbc\r\n0\r\nT: 1\r\n\r\n"
    ),
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nOK",
    "an error that is no JSON (weave#1523)": b"HTTP/1.1 500 Oh\r\nContent-Length: 3\r\n\r\n<p>",
    "an empty body in chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "many chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"8000\r\n%s\r\n" % (b"\r\n0\r\n\r\n." * 4096) * 5
        + b"0\r\n\r\n"
    ),
    "early hints": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 2 + OK,
    "interim ones": b"HTTP/1.1 102 Processing\r\nX: y\r\n\r\n" + OK,
}


@pytest.mark.parametrize("response", RESPONSES.values(), ids=list(RESPONSES))
def test_the_client_gets_the_response_byte_for_byte(sides, response):
    _, got = sides.exchange(GET, response)
    assert got == response


def test_an_answer_to_head_has_no_body_whatever_its_length_says(sides):
    client = sides.client(b"HEAD /_ping HTTP/1.1\r\nHost: d\r\n\r\n" + GET)
    engine = sides.engine()
    engine.head()
    engine.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
    assert client.head().endswith(b"Content-Length: 2\r\n\r\n")
    assert engine.head() == GET


def test_all_comes_through_byte_by_byte(sides):
    request = REQUESTS["chunks with extensions and trailers"]
    response = RESPONSES["chunks and trailers"]
    client = sides.client()
    for byte in request:
        client.send(bytes([byte]))
    engine = sides.engine()
    assert engine.exactly(len(request)) == request
    for byte in response:
        engine.send(bytes([byte]))
    assert client.exactly(len(response)) == response


def test_calls_of_one_client_share_a_connection_to_the_engine(sides):
    client = sides.client(GET)
    engine = sides.engine()
    for _ in range(3):
        assert engine.head() == GET
        engine.send(OK)
        assert client.exactly(len(OK)) == OK
        client.send(GET)
    assert sides.engine_is_untouched()


def test_calls_sent_ahead_wait_for_their_turn(sides):
    client = sides.client(GET * 2)
    engine = sides.engine()
    assert engine.head() == GET
    engine.send(OK)
    assert client.exactly(len(OK)) == OK
    assert engine.head() == GET
    assert engine.ahead == b""


def test_a_connection_that_the_engine_closed_meanwhile_is_made_anew(sides):
    client = sides.client(GET)
    engine = sides.engine()
    engine.head()
    engine.send(OK)
    client.exactly(len(OK))
    engine.close()
    client.send(GET)
    engine = sides.engine()
    assert engine.head() == GET
    engine.send(OK)
    assert client.exactly(len(OK)) == OK


@pytest.mark.parametrize("who", ["request", "response"])
def test_connection_close_closes_both_connections(sides, who):
    close = b"Connection: close\r\n"
    request = GET.replace(b"Host", close + b"Host" if who == "request" else b"Host")
    response = OK.replace(b"Content", close + b"Content" if who == "response" else b"Content")
    client = sides.client(request)
    engine = sides.engine()
    engine.head()
    engine.send(response)
    assert client.rest() == response
    client.close()
    assert engine.rest() == b""


def test_the_head_of_an_answer_comes_before_its_body(sides):
    """`docker run` starts the container only when it has the head of `wait`."""
    client = sides.client(GET)
    engine = sides.engine()
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    engine.send(head)
    assert client.head() == head
    engine.send(b"1\r\na\r\n")
    assert client.exactly(6) == b"1\r\na\r\n"


def test_expect_100_continue_is_the_engines_to_answer(sides):
    head = b"PUT /x HTTP/1.1\r\nHost: d\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    client = sides.client(head)
    engine = sides.engine()
    assert engine.head() == head
    engine.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"hi")
    assert engine.exactly(2) == b"hi"


def test_an_error_before_the_end_of_an_upload_reaches_the_client(sides):
    error = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
    client = sides.client(b"PUT /x HTTP/1.1\r\nHost: d\r\nContent-Length: 9000000\r\n\r\nabc")
    engine = sides.engine()
    engine.head()
    engine.send(error)
    engine.close()
    assert client.exactly(len(error)) == error
    assert client.rest() == b""


def test_an_answer_may_begin_while_the_request_goes_on(sides):
    client = sides.client(b"POST /x HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n")
    engine = sides.engine()
    engine.head()
    engine.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
    assert client.until(b"a\r\n").endswith(b"1\r\na\r\n")
    client.send(b"1\r\nb\r\n0\r\n\r\n")
    assert engine.until(b"0\r\n\r\n") == b"1\r\nb\r\n0\r\n\r\n"
    engine.send(b"0\r\n\r\n")
    assert client.until(b"0\r\n\r\n") == b"0\r\n\r\n"
