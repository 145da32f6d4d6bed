"""Hijacked connections: upgrades, half-close both ways, and who takes whom along at the end."""

from __future__ import annotations

import pytest

ATTACH = b"POST /v1.41/containers/a/attach?stream=1 HTTP/1.1\r\nHost: d\r\n"
UPGRADE = ATTACH + b"Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n"
H2C = b"POST /session HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
# net/http's client sends no length where it has no body to send; 1.23's moby writes this head.
OLD = ATTACH + b"Content-Type: text/plain\r\n\r\n"
SWITCHED = (
    b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
    b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
)
SWITCHED_H2C = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
RAW = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"

KINDS = {
    "tcp": (UPGRADE, SWITCHED),
    "h2c": (H2C, SWITCHED_H2C),
    "old clients'": (OLD, RAW),
    # The engine takes it for 1.41.
    "another spelling": (OLD.replace(b"/v1.41/", b"/v1.41./"), RAW),
    "by a link's name": (OLD.replace(b"/a/attach", b"/web/db/attach"), RAW),
}


@pytest.fixture(params=KINDS.values(), ids=list(KINDS))
def ends(sides, request):
    """Client and engine after the switch."""
    sides.start()
    asks, answers = request.param
    client = sides.client(asks)
    engine = sides.engine()
    assert engine.exactly(len(asks)) == asks
    engine.send(answers)
    assert client.exactly(len(answers)) == answers
    return client, engine


# Bytes that would be HTTP, or no text at all, are a stream's like any others.
BYTES = b"GET / HTTP/1.1\r\n\r\n" + bytes(range(256)) * 4000


def test_bytes_flow_both_ways(ends):
    for source, sink in (ends, ends[::-1], ends):
        source.send(BYTES[:1000])
        assert sink.exactly(1000) == BYTES[:1000]


def test_stdin_ends_and_the_output_still_flows(ends):
    client, engine = ends
    client.send(b"input")
    client.end()
    assert engine.rest() == b"input"
    engine.send(BYTES[:100_000])
    engine.end()
    assert client.rest() == BYTES[:100_000]


def test_the_output_ends_and_stdin_still_flows(ends):
    client, engine = ends
    engine.send(b"output")
    engine.end()
    assert client.rest() == b"output"
    client.send(b"more")
    assert engine.exactly(4) == b"more"
    client.end()
    assert engine.rest() == b""


def test_an_engine_that_closes_ends_the_client_which_is_still_sending(ends):
    client, engine = ends
    engine.send(b"last words")
    engine.close()
    assert client.rest() == b"last words"
    client.close()


def test_a_client_that_is_gone_takes_a_quiet_stream_along(ends):
    client, engine = ends
    client.close()
    assert engine.sees_hangup()


def test_what_came_behind_the_heads_belongs_to_the_streams(sides):
    sides.start()
    client = sides.client(UPGRADE + b"early stdin")
    engine = sides.engine()
    assert engine.head() == UPGRADE
    engine.send(SWITCHED + b"early output")
    assert client.exactly(len(SWITCHED + b"early output")) == SWITCHED + b"early output"
    assert engine.exactly(11) == b"early stdin"


def test_stdin_may_end_before_the_switch(sides):
    sides.start()
    client = sides.client(UPGRADE + b"all of it")
    client.end()
    engine = sides.engine()
    engine.head()
    engine.send(SWITCHED)
    assert client.head() == SWITCHED
    assert engine.rest() == b"all of it"
    engine.send(b"answer")
    engine.close()
    assert client.rest() == b"answer"


def test_an_upgrade_that_is_refused_is_an_answer_like_any_other(sides):
    """ "unable to upgrade to tcp, received 404" has its reason in the body."""
    sides.start()
    error = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"
    client = sides.client(UPGRADE)
    engine = sides.engine()
    engine.head()
    engine.send(error)
    assert client.exactly(len(error)) == error
    client.send(UPGRADE)
    assert engine.head() == UPGRADE


def test_an_exec_with_a_body_switches_behind_it(sides):
    sides.start()
    body = b'{"Detach":false}'
    head = UPGRADE.replace(b"containers/a/attach", b"exec/a/start").replace(
        b"Content-Length: 0", b"Content-Length: %d" % len(body)
    )
    client = sides.client(head + body + b"stdin")
    engine = sides.engine()
    assert engine.exactly(len(head + body)) == head + body
    engine.send(SWITCHED)
    client.head()
    assert engine.exactly(5) == b"stdin"


UPLOAD = b"PUT /x HTTP/1.1\r\nHost: d\r\nContent-Length: %d\r\n\r\n" % (1 << 30)
EVENTS = b"GET /events HTTP/1.1\r\nHost: d\r\n\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (1 << 30)
# What is asked, what is answered, and who sends without end.
SLOW = {
    "a stream's output": (UPGRADE, SWITCHED, "engine"),
    "a stream's input": (UPGRADE, SWITCHED, "client"),
    "an answer": (EVENTS, ENDLESS, "engine"),
    "an upload": (UPLOAD, b"", "client"),
}


@pytest.mark.parametrize(("asks", "answers", "who"), SLOW.values(), ids=list(SLOW))
def test_a_slow_reader_holds_the_writer_up(sides, asks, answers, who):
    """Backpressure: far less is under way than the writer would like to send."""
    sides.start()
    client = sides.client(asks)
    engine = sides.engine()
    engine.head()
    engine.send(answers)
    client.exactly(len(answers))
    source, sink = (engine, client) if who == "engine" else (client, engine)
    sent = fill(source)
    assert sent < LIMIT
    sink.exactly(sent)


def test_what_is_under_way_at_the_switch_belongs_to_the_stream(sides):
    """Input that comes as the call's body (`curl --data-binary @file`): moby hijacks before it has
    read any of it."""
    sides.start()
    client = sides.client(UPGRADE.replace(b"Length: 0", b"Length: %d" % LIMIT))
    engine = sides.engine()
    engine.head()
    sent = fill(client)
    engine.send(SWITCHED)
    assert client.head() == SWITCHED
    engine.exactly(sent)
    client.send(b"on")
    assert engine.exactly(2) == b"on"


QUIET = {
    "a stream": (UPGRADE, SWITCHED),
    "events": (EVENTS, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "a call without an answer yet (wait)": (EVENTS, b""),
    "an upload": (UPLOAD, b""),
}


@pytest.mark.parametrize(("asks", "answers"), QUIET.values(), ids=list(QUIET))
def test_a_quiet_stream_has_no_time_out(sides, monkeypatch, asks, answers):
    set_times: list[float] = []
    at = sides.loop.call_at

    def call_at(when, *args, **named):
        set_times.append(when)
        return at(when, *args, **named)

    monkeypatch.setattr(sides.loop, "call_at", call_at)
    sides.start()
    client = sides.client(asks)
    engine = sides.engine()
    engine.head()
    engine.send(answers)
    client.exactly(len(answers))
    assert set_times == []


LIMIT = 1 << 23


def fill(peer) -> int:
    """Send until nothing more is taken, or LIMIT; how much it was."""
    sent = 0
    peer.sock.settimeout(0.3)
    try:
        while sent < LIMIT:
            sent += peer.sock.send(b"x" * 65536)
    except TimeoutError:
        pass
    return sent
