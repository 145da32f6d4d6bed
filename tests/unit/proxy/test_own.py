"""The one path that the proxy answers itself."""

from __future__ import annotations

import json

import pytest

from waitforweave import __version__
from waitforweave.proxy.own import PATH


def test_the_proxy_says_who_it_is_and_the_engine_hears_nothing(sides):
    sides.start()
    client = sides.client()
    client.send(f"GET {PATH} HTTP/1.1\r\nHost: d\r\n\r\n".encode())
    head = client.head()
    assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
    said = json.loads(client.rest())
    assert said["version"] == __version__
    assert said["engine"].startswith("unix:///")


@pytest.mark.parametrize("path", [f"{PATH}/", f"/v1.41{PATH}", f"{PATH}?a=b", PATH.upper()])
def test_no_other_path_is_its_own(sides, path):
    sides.start()
    request = f"GET {path} HTTP/1.1\r\nHost: d\r\n\r\n".encode()
    got, _ = sides.exchange(request, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    assert got == request
