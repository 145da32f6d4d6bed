"""What stop says: what goes, what becomes of whom."""

from __future__ import annotations

from waitforweave.cli.stop import lines_of
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
