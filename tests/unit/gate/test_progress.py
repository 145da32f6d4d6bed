"""When something is said while the gate waits."""

from __future__ import annotations

import pytest

from waitforweave.gate import options
from waitforweave.gate.conditions import READY, WAITING, Finding, Verdict
from waitforweave.gate.progress import PATIENCE_SECONDS, SILENT, TOLD, Progress
from waitforweave.gate.report import Log

STARTED = 1000.0
SOON, LATE = STARTED + 0.1, STARTED + PATIENCE_SECONDS


def missing(found: str = "no carrier") -> Verdict:
    return Verdict(WAITING, [Finding(WAITING, "interface ethwe", lambda: found)])


THERE = Verdict(READY, [Finding(READY, "interface ethwe", lambda: "has 10.2.1.5/24")])


def progress(level: options.Level = options.NORMAL, *, terminal: bool = False) -> Progress:
    log = Log(STARTED)
    log.on_terminal = terminal
    return Progress(log, level)


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]):
    return lambda: capfd.readouterr().err.replace("wait-for-weave: ", "").splitlines()


def test_a_short_wait_is_silent(said) -> None:
    quick = progress()
    quick.waiting(missing(), SOON)
    quick.ready(THERE, SOON)
    assert (said(), quick.state) == ([], SILENT)


def test_a_long_wait_is_two_lines(said) -> None:
    slow = progress()
    slow.waiting(missing(), LATE)
    assert (slow.state, slow.due) == (TOLD, None)
    slow.waiting(missing("no address"), LATE + 1)
    slow.ready(THERE, LATE + 2)
    assert said() == [
        "waiting: interface ethwe: no carrier",
        "ready after 2.200 s: interface ethwe: has 10.2.1.5/24",
    ]


def test_quiet_says_nothing_and_wants_no_wake_up(said) -> None:
    quiet = progress(options.QUIET)
    assert quiet.due is None
    quiet.waiting(missing(), LATE)
    quiet.ready(THERE, LATE)
    assert said() == []


def test_verbose_says_all_at_once_and_each_change_once(said) -> None:
    verbose = progress(options.VERBOSE)
    for found in ("no carrier", "no carrier", "no address"):
        verbose.waiting(missing(found), SOON)
    verbose.ready(THERE, SOON)
    assert said() == [
        "waiting: interface ethwe: no carrier",
        "waiting: interface ethwe: no address",
        "ready after 0.100 s: interface ethwe: has 10.2.1.5/24",
    ]


def test_verbose_says_ready_also_where_nothing_was_waited_for(said) -> None:
    progress(options.VERBOSE).ready(THERE, SOON)
    assert said() == ["ready after 0.100 s: interface ethwe: has 10.2.1.5/24"]


def test_a_terminal_s_line_is_written_over(capfd: pytest.CaptureFixture[str]) -> None:
    shown = progress(terminal=True)
    shown.waiting(missing(), LATE)
    shown.waiting(missing("no address"), LATE + 1)
    shown.ready(THERE, LATE + 2)
    assert capfd.readouterr().err == (
        "\rwait-for-weave: waiting: interface ethwe: no carrier\x1b[K"
        "\rwait-for-weave: waiting: interface ethwe: no address\x1b[K"
        "\r\x1b[K"
        "wait-for-weave: ready after 2.200 s: interface ethwe: has 10.2.1.5/24\n"
    )


def test_a_terminal_s_line_is_not_longer_than_the_terminal(capfd) -> None:
    progress(terminal=True).waiting(missing("x" * 200), LATE)
    line = capfd.readouterr().err.removeprefix("\r").removesuffix("\x1b[K")
    assert len(line) == 79
