"""Heads: what is taken is what h11 takes, and reads alike; much of what h11 forgives is not."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waitforweave.proxy import heads
from waitforweave.proxy.framing import FramingError, request_body
from waitforweave.proxy.parsing import HeadError, end_of_head, read_request, read_response

REQUESTS = [
    b"GET /_ping HTTP/1.1\r\nHost: d\r\nX-Y: z\r\n\r\n",
    b"POST /a?b HTTP/1.1\r\nHost: d\r\nContent-Length: 11\r\nX:  a b\t\r\nx: \r\n\r\n",
    b"PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: d\r\nX-Y:z\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
]
RESPONSES = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: x, y\r\n\r\n",
    b"HTTP/1.0 404 Not so found\r\nTransfer-Encoding: chunked\r\nX:y \r\n\r\n",
    b"HTTP/1.1 204\r\n\r\n",
]
# Bytes that mean something to a reader come often.
WORDS = st.sampled_from(
    [*(b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"\0", b"\x0b", b"\x85", b"\xff", b"\x7f", b","),
     *(b"\r\nHost: e", b"\r\nContent-Length: 11", b"HTTP/1.1", b"1.0", b"/", b"\r\n a")]
)  # fmt: skip
NEW = st.one_of(st.just(b""), WORDS, st.binary(max_size=2))
CHANGES = st.lists(st.tuples(st.integers(0, 120), st.integers(0, 3), NEW), max_size=3)


NAMES = (b"host", b"content-length", b"transfer-encoding", b"connection")


def mutated(head: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for at, length, new in changes:
        head = head[:at] + new + head[at + length :]
    return head


@settings(deadline=None, max_examples=1000)
@given(st.sampled_from(REQUESTS), CHANGES)
def test_a_request_that_is_taken_is_read_as_h11_reads_it(request_, changes):
    came = mutated(request_, changes)
    try:
        end = end_of_head(came)
        request = read_request(came[:end])
        request_body(request)
    except (HeadError, FramingError):
        return
    if not request.target.isascii():  # Go takes it, h11 does not.
        return
    reader = h11.Connection(h11.SERVER)
    reader.receive_data(came)
    theirs = reader.next_event()
    assert isinstance(theirs, h11.Request)
    assert (request.method, request.target) == (theirs.method, theirs.target)
    assert request.http_version == theirs.http_version
    assert heads.raw(request) == list(theirs.headers.raw_items())
    assert request.came == came[:end]
    for name in NAMES:
        listed = [value for key, value in heads.raw(request) if key.lower() == name]
        assert request.fields.get(name) == (b", ".join(listed) if listed else None)


@settings(deadline=None, max_examples=500)
@given(st.sampled_from(RESPONSES), CHANGES)
def test_a_response_that_is_taken_is_read_as_h11_reads_it(response_, changes):
    came = mutated(response_, changes)
    try:
        end = end_of_head(came)
        response = read_response(came[:end])
    except HeadError:
        return
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method="GET", target="/", headers=[("Host", "d")]))
    reader.send(h11.EndOfMessage())
    reader.receive_data(came)
    try:
        theirs = reader.next_event()
    except h11.RemoteProtocolError as error:
        assert "Content-Length" in str(error) or "Transfer-Encoding" in str(error)  # noqa: PT017
        return
    assert isinstance(theirs, h11.Response | h11.InformationalResponse)
    assert (response.status_code, response.reason) == (theirs.status_code, theirs.reason)
    assert heads.raw(response) == list(theirs.headers.raw_items())


@settings(deadline=None)
@given(st.sampled_from(REQUESTS + RESPONSES), CHANGES, st.integers(0, 200))
def test_a_head_ends_where_it_ends_however_it_comes(head, changes, cut):
    came = mutated(head, changes) or b" "
    try:
        whole = end_of_head(came)
        first = end_of_head(came[: 1 + cut])
    except HeadError:
        return
    if first == 0 and 1 + cut < len(came):
        assert end_of_head(came, 1 + cut) == whole


def test_what_came_behind_a_head_is_not_the_heads():
    head = REQUESTS[0]
    assert end_of_head(head + b"\n\n\0") == len(head)


@pytest.mark.parametrize(
    ("came", "status", "said"),
    [
        (b"GET / HTTP/2.0\r\nHost: d\r\n", 505, "HTTP/2.0 is not spoken here; allowed: 1.0, 1.1"),
        (b"GET / HTTP/1.1\r\nHost: d\r\nX : y\r\n", 400, "no head of a request: b'X : y'"),
        (b"GET / HTTP/1.1\r\nX: y\r\n", 400, "no Host; allowed: one, with HTTP/1.1"),
        (b"GET / HTTP/1.1\r\nHost: d\r\nHost: e\r\n", 400, "more than one Host: b'd, e'"),
    ],
)
def test_status_and_message_say_what_is_wrong(came, status, said):
    with pytest.raises(HeadError) as error:
        read_request(came + b"\r\n")
    assert (error.value.status, str(error.value)) == (status, said)


def test_a_long_run_of_blanks_takes_no_time_to_speak_of():
    """A value's blanks must not be tried one by one (some regular expressions are quadratic)."""
    blanks = b" \t" * 100_000
    request = read_request(b"GET / HTTP/1.1\r\nHost: d\r\nX: a%sb%s\r\n\r\n" % (blanks, blanks))
    assert heads.raw(request)[1] == (b"X", b"a%sb" % blanks)


def test_a_head_that_we_make_has_its_names_and_values():
    response = read_response(RESPONSES[0])
    headers = [(b"X-a", b"1"), (b"x-A", b"2")]
    head = heads.encode(heads.status_line(response, 201, b"Created"), headers)
    assert head == b"HTTP/1.1 201 Created\r\nX-a: 1\r\nx-A: 2\r\n\r\n"
    assert heads.raw(read_response(head)) == [(b"X-a", b"1"), (b"x-A", b"2")]
