"""What people read: each line says who speaks, what was there, what was missing, what to do."""

from __future__ import annotations

import os

import pytest

from waitforweave.gate import report
from waitforweave.gate.conditions import HOPELESS, WAITING, Verdict

WAITED = Verdict(WAITING, "ethwe: no carrier; wanted 10.2.1.5/24; has no address")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(30.0, "30 s"), (0.5, "0.5 s"), (3600.0, "3600 s"), (999999999.0, "999999999 s")],
)
def test_a_timeout_says_what_was_there_and_the_way_out(seconds: float, text: str) -> None:
    first, second = report.timed_out(WAITED, seconds).splitlines()
    assert first == (
        f"not ready after {text}: ethwe: no carrier; wanted 10.2.1.5/24; has no address"
    )
    assert "WAIT_FOR_WEAVE_SKIP=yes" in second
    assert "WAIT_FOR_SECONDS" in second


def test_what_is_hopeless_says_so() -> None:
    verdict = Verdict(HOPELESS, "ethwe: 2001:db8::5/64 is in use by another host (DAD failed)")
    assert report.hopeless(verdict) == (
        "will not become ready: ethwe: 2001:db8::5/64 is in use by another host (DAD failed)"
    )


def test_an_interrupted_wait_names_signal_and_reason() -> None:
    assert report.interrupted(15, WAITED).startswith("ended by signal 15 while waiting: ethwe: no")


def test_each_line_says_who_speaks(capfd: pytest.CaptureFixture[str]) -> None:
    report.say("one\ntwo")
    out, err = capfd.readouterr()
    assert (out, err) == ("", "wait-for-weave: one\nwait-for-weave: two\n")


def test_what_is_no_ascii_is_escaped(capfd: pytest.CaptureFixture[str]) -> None:
    report.say("caf\u00e9 \udcff")
    assert capfd.readouterr().err == "wait-for-weave: caf\\xe9 \\udcff\n"


def test_a_broken_stderr_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    report.write(writer, "nobody reads this")
    os.close(writer)
    report.write(writer, "nor this")


def test_a_long_text_is_written_whole() -> None:
    reader, writer = os.pipe()
    text = "x" * 60_000
    report.write(writer, text)
    os.close(writer)
    with os.fdopen(reader) as stream:
        assert stream.read() == text


def test_help_names_every_variable_and_exit_code() -> None:
    for word in ("WEAVE_CIDR", "WAIT_FOR_SECONDS", "WAIT_FOR_WEAVE_SKIP", "WAIT_FOR_WEAVE_QUIT"):
        assert word in report.USAGE
    for code in (" 1 ", " 2 ", "125", "126", "127", "128+N"):
        assert code in report.USAGE.replace("\n", " ")
