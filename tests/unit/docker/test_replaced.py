"""A mount of a socket whose file is gone, as a descriptor of it: /proc's link leads to the same."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from waitforweave.docker.replaced import end_if_replaced, is_replaced
from waitforweave.docker.url import EngineUrl


@pytest.fixture
def named(tmp_path: Path) -> Path:
    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(path))
    return path


@pytest.fixture
def held(named: Path) -> Iterator[str]:
    """A path that leads to the socket itself, whatever becomes of its name."""
    fd = os.open(named, os.O_PATH | os.O_CLOEXEC)
    yield f"/proc/self/fd/{fd}"
    os.close(fd)


@pytest.fixture
def terms() -> Iterator[list[int]]:
    """The signals TERM that came."""
    came: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    yield came
    signal.signal(signal.SIGTERM, before)


def test_only_the_mount_is_left(named, held, terms):
    assert not end_if_replaced(EngineUrl("unix", path=held))
    assert terms == []
    named.unlink()
    assert end_if_replaced(EngineUrl("unix", path=held))
    assert terms == [signal.SIGTERM]


def test_an_engine_that_is_not_there_may_come_back(named):
    assert not is_replaced(EngineUrl("unix", path=str(named)))
    named.unlink()
    assert not is_replaced(EngineUrl("unix", path=str(named)))


def test_tcp_has_no_mount():
    assert not is_replaced(EngineUrl("tcp", host="127.0.0.1", port=2375))
