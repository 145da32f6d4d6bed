"""The page's feed of `weavewait serve` as a process: it ends when the server is told to."""

from __future__ import annotations

import json
import signal

import httpx
import pytest

from tests.netns.hooks.test_serve_command import PATIENCE_SECONDS, serving, space

__all__ = ["space"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_open_page_does_not_hold_the_server_up(space, tmp_path, number):
    with serving(space, tmp_path) as process:
        transport = httpx.HTTPTransport(uds=str(tmp_path / "hooks.sock"))
        with (
            httpx.Client(transport=transport, timeout=PATIENCE_SECONDS) as client,
            client.stream("GET", "http://hooks/v1/events") as response,
        ):
            lines = response.iter_lines()
            assert [next(lines) for _ in range(3)][::2] == ["retry: 2000", "event: all"]
            assert json.loads(next(lines).removeprefix("data: "))["rows"] == []
            process.send_signal(number)
            # To its end, as HTTP ends a body: nobody had to cut it off.
            assert [line for line in lines if line.startswith("event: all")] == []
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert "Cancel" not in said
