"""Addresses of engines."""

from __future__ import annotations

import pytest

from waitforweave.docker.url import EngineUrl, parse_engine_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("unix:///var/run/docker.sock", EngineUrl("unix", path="/var/run/docker.sock")),
        ("tcp://127.0.0.1:2375", EngineUrl("tcp", host="127.0.0.1", port=2375)),
        ("tcp://[::1]:2375", EngineUrl("tcp", host="::1", port=2375)),
        ("tcp://localhost:1", EngineUrl("tcp", host="localhost", port=1)),
    ],
)
def test_an_address_is_read_and_written(text, url):
    assert parse_engine_url(text) == url
    assert str(url) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/var/run/docker.sock",
        "unix://",
        "unix://docker.sock",
        "unix:///run/",
        "http://127.0.0.1:2375",
        "tcp://127.0.0.1",
        "tcp://:2375",
        "tcp://127.0.0.1:99999",
        "tcp://a..b:2375",
        f"tcp://{'a' * 64}:2375",
        "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:2375/v1",
        "tcp://user@127.0.0.1:2375",
        "tcp://[::1:2375",
    ],
)
def test_anything_else_is_refused_and_says_what_is_allowed(text):
    with pytest.raises(ValueError, match=r"allowed: unix:///PATH or tcp://HOST:PORT"):
        parse_engine_url(text)
