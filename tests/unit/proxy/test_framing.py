"""Where bodies end: any cut of the bytes gives the same end, and what follows is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waitforweave.proxy.framing import (
    Body,
    Chunked,
    FramingError,
    Length,
    UntilClose,
    content_of,
    request_body,
    response_body,
)
from waitforweave.proxy.heads import Request, Response
from waitforweave.proxy.parsing import read_request, read_response

pieces = st.lists(st.binary(min_size=1, max_size=40), max_size=6)
sizes = st.lists(st.integers(min_value=1, max_value=9), min_size=1, max_size=200)


def chunks_of(contents: list[bytes], extension: bytes, trailers: list[bytes]) -> bytes:
    lines = [b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in contents]
    return b"".join([*lines, b"0\r\n", *trailers, b"\r\n"])


def taken(body: Body, data: bytes, cuts: list[int]) -> int:
    """How many bytes the body takes when they come in pieces of these sizes, over and over."""
    total = at = turn = 0
    while at < len(data) and not body.ended:
        piece = data[at : at + cuts[turn % len(cuts)]]
        total += body.take(piece)
        at += len(piece)
        turn += 1
    return total


@settings(deadline=None)
@given(
    contents=pieces,
    extension=st.sampled_from([b"", b";a=b", b' ;a="b c"']),
    trailers=st.lists(st.sampled_from([b"A: b\r\n", b"X-Sum:\r\n"]), max_size=2),
    cuts=sizes,
    behind=st.binary(max_size=30),
)
def test_a_chunked_body_ends_where_it_ends_however_it_comes(
    contents, extension, trailers, cuts, behind
):
    data = chunks_of(contents, extension, trailers)
    body = Chunked()
    assert taken(body, data + behind, cuts) == len(data)
    assert body.ended
    assert not body.cut()
    assert content_of(body, data) == b"".join(contents)


@settings(deadline=None)
@given(contents=pieces, keep=st.integers(min_value=0), cuts=sizes)
def test_a_chunked_body_that_is_cut_says_so(contents, keep, cuts):
    data = chunks_of(contents, b"", [b"A: b\r\n"])
    data = data[: keep % len(data)]
    body = Chunked()
    assert taken(body, data, cuts) == len(data)
    assert body.cut()


@settings(deadline=None, max_examples=300)
@given(
    contents=pieces,
    at=st.integers(min_value=0),
    change=st.binary(min_size=1, max_size=1),
    cuts=sizes,
)
def test_one_wrong_byte_is_read_alike_however_it_comes(contents, at, change, cuts):
    data = bytearray(chunks_of(contents, b";x", [b"A: b\r\n"]))
    data[at % len(data) : at % len(data) + 1] = change

    def outcome(sizes: list[int]) -> tuple[str, int]:
        body = Chunked()
        try:
            length = taken(body, bytes(data), sizes)
        except FramingError:
            return "error", 0
        return "ended" if body.ended else "open", length

    assert outcome(cuts) == outcome([len(data)])


@settings(deadline=None)
@given(length=st.integers(min_value=0, max_value=50), data=st.binary(max_size=80), cuts=sizes)
def test_a_body_of_a_length_takes_that_and_no_more(length, data, cuts):
    body = Length(length)
    assert taken(body, data, cuts) == min(length, len(data))
    assert body.ended == (len(data) >= length)
    assert body.cut() == (len(data) < length)


def request(method: str = "POST", version: str = "1.1", **headers: str) -> Request:
    return read_request(f"{method} / HTTP/{version}\r\nHost: d\r\n{lines(headers)}".encode())


def response(status: int, version: str = "1.1", **headers: str) -> Response:
    return read_response(f"HTTP/{version} {status} OK\r\n{lines(headers)}".encode())


def lines(headers: dict[str, str]) -> str:
    names = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*names, "", ""])


def test_a_request_without_framing_has_no_body():
    body = request_body(request())
    assert isinstance(body, Length)
    assert body.ended


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "HEAD"])
def test_a_requests_framing_does_not_depend_on_its_method(method):
    assert isinstance(request_body(request(method, Transfer_Encoding="chunked")), Chunked)
    assert not request_body(request(method, Content_Length="3")).ended


@pytest.mark.parametrize(
    ("method", "status"), [(b"HEAD", 200), (b"GET", 204), (b"GET", 304), (b"HEAD", 404)]
)
def test_some_responses_have_no_body_whatever_they_say(method, status):
    assert response_body(method, response(status, Content_Length="5")).ended
    assert response_body(method, response(status, Transfer_Encoding="chunked")).ended


def test_a_response_without_framing_goes_to_the_connections_end():
    body = response_body(b"GET", response(200))
    assert isinstance(body, UntilClose)
    assert body.take(b"abc") == 3
    assert not body.ended
    assert not body.cut()


@pytest.mark.parametrize(
    "head",
    [
        request(Content_Length="3", Transfer_Encoding="chunked"),
        request(version="1.0", Transfer_Encoding="chunked"),
    ],
)
def test_two_framings_or_chunks_in_http_1_0_are_an_error(head):
    with pytest.raises(FramingError, match="Transfer-Encoding beside Content-Length, or in HTTP"):
        request_body(head)


def test_a_length_that_is_none_is_named_with_what_is_allowed():
    with pytest.raises(FramingError, match="bad Content-Length: b'3,3'; allowed: one number"):
        request_body(request(Content_Length="3,3"))
