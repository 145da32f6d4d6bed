"""What people and log readers see: who speaks, what was there, what was missing, what to do."""

from __future__ import annotations

import json
import os
import re
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.pipes import full_pipe
from waitforweave.gate import report
from waitforweave.gate.conditions import HOPELESS, READY, WAITING, Finding, Verdict
from waitforweave.gate.report import Log

FINDINGS = [
    Finding(READY, "interface ethwe", lambda: "has 10.2.1.5/24"),
    Finding(WAITING, 'address "x"\\', lambda: "not there"),
    Finding(HOPELESS, "address fd00::1/64", lambda: "in use by another host (DAD failed)"),
]
VERDICT = Verdict(WAITING, FINDINGS)
KEYS = ["time", "program", "event", "seconds", "code", "message", "hint", "asked"]


def log(form: Literal["text", "json"] = "text") -> Log:
    made = Log(0.0)
    made.form = form
    return made


def test_each_line_says_who_speaks(capfd: pytest.CaptureFixture[str]) -> None:
    log().say("error", "one\ntwo")
    out, err = capfd.readouterr()
    assert (out, err) == ("", "wait-for-weave: one\nwait-for-weave: two\n")


def test_with_a_hint_each_thing_has_its_line(capfd: pytest.CaptureFixture[str]) -> None:
    log().say("timeout", "not ready after 30 s:", code=1, verdict=VERDICT, hint="look there")
    assert capfd.readouterr().err == (
        "wait-for-weave: not ready after 30 s:\n"
        "wait-for-weave:   ready:    interface ethwe: has 10.2.1.5/24\n"
        'wait-for-weave:   missing:  address "x"\\: not there\n'
        "wait-for-weave:   hopeless: address fd00::1/64: in use by another host (DAD failed)\n"
        "wait-for-weave: look there\n"
    )


def test_json_is_one_object_a_line(capfd: pytest.CaptureFixture[str]) -> None:
    log("json").say("timeout", 'a "message"\n', code=1, verdict=VERDICT, hint="look there")
    (line,) = capfd.readouterr().err.splitlines()
    said = json.loads(line)
    assert list(said) == KEYS
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", said["time"])
    assert said["seconds"] > 0
    assert [said[key] for key in ("program", "event", "code", "message", "hint")] == [
        *("wait-for-weave", "timeout", 1, 'a "message"\n', "look there")
    ]
    assert said["asked"] == [
        {"what": "interface ethwe", "state": "ready", "found": "has 10.2.1.5/24"},
        {"what": 'address "x"\\', "state": "missing", "found": "not there"},
        {"what": "address fd00::1/64", "state": "hopeless",
         "found": "in use by another host (DAD failed)"},
    ]  # fmt: skip


def test_json_has_the_same_keys_where_there_is_nothing_to_say(capfd) -> None:
    log("json").say("waiting", "waiting: x", verdict=Verdict(READY, []))
    log("json").show("changed", "waiting: y", Verdict(READY, []))
    for line in capfd.readouterr().err.splitlines():
        said = json.loads(line)
        assert list(said) == KEYS
        assert [said[key] for key in ("code", "hint", "asked")] == [None, None, []]


@given(st.text(st.characters(max_codepoint=0xFFFF)))
def test_any_text_is_a_json_string(text: str) -> None:
    assert json.loads(report.quoted(text)) == text


def test_what_is_no_ascii_is_escaped(capfd: pytest.CaptureFixture[str]) -> None:
    log().say("error", "caf\u00e9 \udcff")
    assert capfd.readouterr().err == "wait-for-weave: caf\\xe9 \\udcff\n"


def test_a_broken_stderr_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    report.write(writer, "nobody reads this")
    os.close(writer)
    report.write(writer, "nor this")


def test_lines_behind_one_that_was_dropped_are_not_waited_for_but_the_last_word_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else the command would be late by 0.1 s for each change that was told."""
    waits: list[int] = []

    def write(fd: int, text: str, *, patience: int) -> bool:
        waits.append(patience)
        return text == "wait-for-weave: read\n"

    monkeypatch.setattr(report, "write", write)
    told = log()
    for message in ("dropped", "dropped", "read", "dropped", "dropped"):
        told.say("changed", message)
    told.say("timeout", "the last word", code=1)
    assert waits == [100, 0, 0, 100, 0, 100]


def test_what_a_pipe_does_not_take_is_said_so() -> None:
    reader, writer = full_pipe(blocking=True)
    assert not report.write(writer, "nobody reads this", patience=0)
    os.read(reader, 1 << 16)
    assert report.write(writer, "this fits in", patience=0)
    os.close(reader)
    os.close(writer)


def test_a_long_text_is_written_whole() -> None:
    reader, writer = os.pipe()
    text = "x" * 60_000
    report.write(writer, text)
    os.close(writer)
    with os.fdopen(reader) as stream:
        assert stream.read() == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(30.0, "30 s"), (0.5, "0.5 s"), (3600.0, "3600 s"), (999999999.0, "999999999 s")],
)
def test_durations_have_as_few_digits_as_it_takes(seconds: float, text: str) -> None:
    assert report.duration(seconds) == text
