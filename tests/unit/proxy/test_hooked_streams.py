"""What passes adapters by: bodies that are no JSON, and streams, which nobody could wait for."""

from __future__ import annotations

import httpx
import pytest

from tests.unit.proxy.conftest import BODY, BOTH, CREATE, DONE, START, unchanged


def failing(call):
    return httpx.Response(500)


def test_a_body_that_is_no_json_passes_without_hooks(sides):
    sides.start(BOTH, a=failing)
    tar = (
        b"PUT /v1.41/containers/a/archive?path=/ HTTP/1.1\r\nHost: d\r\n"
        b"Content-Type: application/x-tar\r\nContent-Length: 3\r\n\r\n\0\1\2"
    )
    assert sides.exchange(tar, DONE) == (tar, DONE)
    assert sides.calls == []


def test_of_several_content_types_the_first_counts_as_for_the_engine(sides):
    sides.start({"POST /*": {"pre": ["a"]}}, a=unchanged)
    kind = b"content-type: application/json\r\n"
    create = CREATE.replace(kind, kind + b"Content-Type: application/x-tar\r\n") + BODY
    assert sides.exchange(create, DONE) == (create, DONE)
    assert sides.kinds() == [("a", "pre-hook")]


TYPELESS = [
    *(b"/containers/a/start", b"/containers/a/restart", b"/containers/web/db/start"),
    *(b"/containers/create", b"/containers/create?name=a", b"/containers/a/exec"),
]


@pytest.mark.parametrize("path", TYPELESS)
# All of which the engine takes for 1.41.
@pytest.mark.parametrize("version", [b"/v1.41", b"/v1.41.", b"/v01.41.0", b""])
def test_a_call_whose_bodys_type_an_engine_does_not_look_at_has_its_hooks(sides, version, path):
    """As curl -d '{}' sends it: the engine takes it, podman a create, too."""
    sides.start(BOTH, a=unchanged)
    start = START.replace(b"/v1.41/containers/a/start", version + path).replace(
        b"Content-Length: 0\r\n",
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 2\r\n",
    )
    assert sides.exchange(start + b"{}", DONE) == (start + b"{}", DONE)
    assert sides.kinds() == [("a", "pre-hook"), ("a", "post-hook")]


LOGS = b"GET /v1.41/containers/a/logs HTTP/1.1\r\nHost: d\r\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (b"/v1.41/containers/a/logs", b"application/vnd.docker.raw-stream"),
        (b"/v1.41/events", b"application/json"),
        (b"/v1.41.0/events", b"application/json"),
        (b"/v5.8.0/libpod/events", b"application/json"),
        (b"/containers/a/stats", b"application/json"),
        (b"/v1.41/containers/a/wait", b"application/json"),
        (b"/v1.41/containers/web/db/wait", b"application/json"),
        (b"/v1.41/images/a/b:c/push", b"application/json"),
    ],
)
def test_a_stream_is_not_waited_for(sides, path, kind):
    sides.start(BOTH, a=unchanged)
    client = sides.client(LOGS.replace(b"/v1.41/containers/a/logs", path))
    engine = sides.engine()
    engine.head()
    engine.send(STREAM + b"Content-Type: " + kind + b"\r\n\r\n1\r\na\r\n")
    assert client.until(b"\r\na\r\n").startswith(STREAM)
    engine.send(b"0\r\n\r\n")
    assert client.until(b"0\r\n\r\n") == b"0\r\n\r\n"
    assert sides.kinds() == [("a", "pre-hook")]


def test_a_hooked_exec_still_becomes_a_stream(sides):
    sides.start(BOTH, a=unchanged)
    head = CREATE.replace(b"containers/create?name=n", b"exec/e/start").replace(
        b"X: y", b"Connection: Upgrade\r\nUpgrade: tcp"
    )
    client = sides.client(head + BODY + b"early")
    engine = sides.engine()
    assert engine.exactly(len(head + BODY)) == head + BODY
    engine.send(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nout")
    assert client.until(b"out").endswith(b"\r\n\r\nout")
    assert engine.exactly(5) == b"early"
    client.end()
    assert engine.rest() == b""
    assert sides.kinds() == [("a", "pre-hook")]
