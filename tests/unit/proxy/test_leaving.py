"""A client that goes away takes its call along, and the other way round; a hooked call goes on."""

from __future__ import annotations

import threading

import pytest

from tests.unit.proxy.conftest import SECONDS, unchanged

EVENTS = b"GET /events HTTP/1.1\r\nHost: d\r\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
START = b"POST /start HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n"
DONE = b"HTTP/1.1 204 No Content\r\n\r\n"
RULE = {"POST /start": {"post": ["a"]}}


def test_a_client_that_closes_ends_its_quiet_stream(sides):
    sides.start()
    client = sides.client(EVENTS)
    engine = sides.engine()
    engine.head()
    engine.send(STREAM)
    client.head()
    client.close()
    assert engine.sees_hangup()


def test_a_client_that_closes_before_the_answer_ends_its_call(sides):
    sides.start()
    client = sides.client(EVENTS)
    engine = sides.engine()
    engine.head()
    client.close()
    assert engine.sees_hangup()


def test_a_client_that_ends_only_its_own_direction_is_told_so_to_the_engine(sides):
    """net/http ends such a call by itself, and so it does behind us."""
    sides.start()
    client = sides.client(EVENTS)
    engine = sides.engine()
    engine.head()
    client.end()
    assert engine.rest() == b""
    engine.send(STREAM + b"0\r\n\r\n")
    assert client.rest() == STREAM + b"0\r\n\r\n"


def test_a_client_that_closes_in_the_middle_of_an_upload_ends_it(sides):
    sides.start()
    client = sides.client(b"PUT /x HTTP/1.1\r\nHost: d\r\nContent-Length: 1000\r\n\r\nabc")
    engine = sides.engine()
    engine.head()
    assert engine.exactly(3) == b"abc"
    client.close()
    assert engine.sees_hangup()


def test_an_engine_that_goes_ends_the_clients_stream(sides):
    sides.start()
    client = sides.client(EVENTS)
    engine = sides.engine()
    engine.head()
    engine.send(STREAM + b"1\r\na")
    engine.close()
    assert client.rest() == STREAM + b"1\r\na"


def test_an_idle_client_that_closes_takes_its_connection_to_the_engine_along(sides):
    sides.start()
    client = sides.client(START)
    engine = sides.engine()
    engine.head()
    engine.send(DONE)
    client.head()
    client.close()
    assert engine.sees_hangup()


@pytest.mark.parametrize("interim", [b"", b"HTTP/1.1 102 Processing\r\n\r\n"])
def test_a_hooked_call_goes_to_its_end_whoever_waits(sides, interim):
    """What is started shall be attached; also past an interim answer that nobody hears."""
    hooked = threading.Event()

    def hook(call):
        hooked.set()
        return unchanged(call)

    sides.start(RULE, a=hook)
    client = sides.client(START)
    engine = sides.engine()
    engine.head()
    client.close()
    engine.send(interim + DONE)
    assert hooked.wait(SECONDS)
    assert engine.sees_hangup()


def test_a_hooked_stream_ends_with_its_client(sides):
    sides.start({"GET /events": {"pre": ["a"], "post": ["a"]}}, a=unchanged)
    client = sides.client(EVENTS)
    engine = sides.engine()
    engine.head()
    engine.send(STREAM)
    client.head()
    client.close()
    assert engine.sees_hangup()
    assert [call["Type"] for call in sides.calls] == ["pre-hook"]
