"""What `weavewait status` prints: a table that lines up, and nothing that a terminal obeys."""

from __future__ import annotations

import json

import pytest

from waitforweave.cli.status import Seen, aligned, json_of, state_of, text_of
from waitforweave.hooks.status import Answer, Row
from waitforweave.launch.steps import Part

ONE = Row("c1", "one", "ready", ["10.2.1.5/24"], ["10.2.1.5/24"], "bridge", took=0.125)


def seen(parts: list[Part], rows: list[Row], fault: str = "") -> Seen:
    return Seen(parts, Answer(containers=rows, version="1.2", following=False), fault)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (ONE, "ready (took 0.12 s)"),
        (Row("c", "a", "ready"), "ready"),
        (Row("c", "a", "waiting", since=90.0), "waiting (for 10 s)"),
        (Row("c", "a", "failed", reason="no address", again=103.4), None),
        (Row("c", "a", "failed", reason="no address"), "failed: no address"),
        (Row("c", "a", "stopped", reason="exit code 1"), "stopped (exit code 1)"),
        (Row("c", "a", "unknown", reason="why"), "unknown: why"),
    ],
)
def test_each_state_says_what_one_wants_to_know(row, text):
    assert state_of(row, 100.0) == (text or "failed: no address (again in 3 s)")


def test_the_table_lines_up():
    parts = [Part("weavewait", "there")]
    assert text_of(seen(parts, [ONE, Row("c", "second-one", "waiting")]), 0.0).splitlines() == [
        "weavewait         there",
        "",
        "NAME        STATE                PROMISED     THERE        BACKEND  RETRIES",
        "one         ready (took 0.12 s)  10.2.1.5/24  10.2.1.5/24  bridge   0",
        "second-one  waiting              -            -                     0",
    ]


def test_a_terminals_control_characters_are_shown():
    assert aligned([("a\x1b[31m\n",)]) == [r"a\x1b[31m\n"]


def test_json_is_the_same_facts():
    value = json.loads(json_of(seen([Part("weavewait", "there")], [ONE], "why")))
    assert value["parts"] == [{"name": "weavewait", "state": "there", "good": True}]
    assert value["containers"][0]["addresses"] == ["10.2.1.5/24"]
    assert (value["version"], value["following"]) == ("1.2", False)
    assert value["fault"] == "why"


def test_a_server_that_does_not_answer_is_no_success():
    assert seen([Part("weavewait", "there")], []).good
    assert not seen([Part("weavewait", "there")], [], "no answer").good
    assert not seen([Part("weavewait", "gone", good=False)], []).good
