"""What stop says: what goes, what becomes of whom."""

from __future__ import annotations

from waitforweave.cli.stop import left_in_shell, lines_of
from waitforweave.launch.gated import Gated

AGAIN = (
    "started again, a gated container waits for ethwe until its time is up (30 s by default), and "
    "ends with exit code 1"
)
WAYS = "the ways out: weavewait launch again, or weavewait unwrap NAME for each"


def test_nothing():
    assert lines_of("took away", [], Gated([], [], [])) == ["nothing is launched"]


def test_nobody_is_concerned():
    assert lines_of("took away", ["a", "b"], Gated([], [], [])) == ["took away a, b"]


def test_those_that_run_and_those_that_do_not():
    assert lines_of("took away", ["a"], Gated(["x", "y"], ["z"], []))[1:] == [
        "gated and running: x, y: run on, without ethwe",
        "gated and stopped: z",
        AGAIN,
        WAYS,
    ]


def test_images_alone():
    assert lines_of("would take away", [], Gated([], [], ["i:1"])) == [
        "nothing is launched",
        "gated images: i:1: straight at the engine no container of them starts",
        WAYS,
    ]


def test_a_shell_that_still_names_the_proxys_socket_is_told(tmp_path):
    assert left_in_shell({"DOCKER_HOST": f"unix://{tmp_path}/d.sock"}) == [
        f"DOCKER_HOST names unix://{tmp_path}/d.sock, where nobody is any more: unset DOCKER_HOST"
    ]


def test_a_shell_that_names_another_engine_is_left_alone(tmp_path):
    (tmp_path / "d.sock").touch()
    for environ in ({}, {"DOCKER_HOST": f"unix://{tmp_path}/d.sock"}, {"DOCKER_HOST": "tcp://h:1"}):
        assert left_in_shell(environ) == []


def test_where_one_may_not_look_nobody_is_told_that_nobody_is_there(monkeypatch):
    def refused(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr("pathlib.Path.stat", refused)
    assert left_in_shell({"DOCKER_HOST": "unix:///root/d.sock"}) == []


def test_a_name_that_is_too_long_is_nobodys_error():
    assert left_in_shell({"DOCKER_HOST": f"unix:///{'x' * 300}"}) == []
