"""One launch or stop at a time for each engine."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from waitforweave.launch.lock import alone, folder_of


def nobody_waits() -> None:
    raise AssertionError("it is free")


def test_a_second_one_says_so_and_waits(tmp_path):
    engine = f"unix://{tmp_path}/engine.sock"
    told, order = threading.Event(), []

    def second() -> None:
        with alone(engine, told.set):
            order.append("second")

    thread = threading.Thread(target=second)
    with alone(engine, nobody_waits):
        thread.start()
        assert told.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
    with alone(engine, nobody_waits):
        pass


def test_other_engines_wait_for_nobody(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
    one, other = (f"unix://{tmp_path}/{name}/e.sock" for name in "ab")
    with alone(one, nobody_waits), alone(other, nobody_waits):
        pass


def test_one_who_may_not_read_the_folder_goes_without():
    with alone("unix:///nowhere/at/all.sock", nobody_waits):
        pass


def test_an_error_is_the_callers_own(tmp_path):
    with pytest.raises(OSError, match="mine"), alone(f"unix://{tmp_path}/e.sock", nobody_waits):
        raise OSError("mine")


@pytest.mark.parametrize(
    ("engine", "folder"),
    [("unix:///var/run/docker.sock", "/var/run"), ("tcp://127.0.0.1:2375", "/run")],
)
def test_where_the_lock_is(engine, folder):
    assert Path(folder_of(engine)) == Path(folder)
