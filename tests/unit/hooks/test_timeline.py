"""All stories together: whose changes are told, and which are kept how long."""

from __future__ import annotations

import pytest

from tests.page.scenes import container, id_of, run_named
from waitforweave.hooks import timeline as module
from waitforweave.hooks.book import Attached, Failed, Record
from waitforweave.hooks.process import Process
from waitforweave.hooks.timeline import Timeline

NOW = 1_767_264_000.0


class Kept:
    """A timeline, and whose changes it told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.timeline = Timeline(lambda: NOW + 60, self.told.append)

    def begin(self, name: str = "a", pid: int = 7, at: float = NOW) -> None:
        run = run_named(name, at, pid)
        self.timeline.begin(container(name, at, "WEAVE_CIDR=", pid=pid), run, [""])

    def fail(self, name: str = "a", at: float = NOW) -> None:
        self.timeline.note(id_of(name), Record(run_named(name, at), Failed("no", at + 1), at))

    def state(self, name: str = "a") -> str | None:
        story = self.timeline.get(id_of(name))
        return None if story is None else story.state


@pytest.fixture
def kept() -> Kept:
    return Kept()


def test_each_change_is_told_once_and_what_is_none_is_not(kept):
    kept.begin()
    kept.begin()
    kept.timeline.see(id_of("a"), Process.GATE)
    kept.timeline.see(id_of("a"), Process.GATE)
    assert kept.told == [id_of("a")] * 2


def test_another_pid_is_another_run(kept):
    kept.begin()
    kept.fail()
    kept.begin(pid=8, at=NOW + 5)
    story = kept.timeline.get(id_of("a"))
    assert story is not None
    assert (story.run, story.state, story.started) == (2, "waiting", NOW + 5)


def test_a_rename_shows(kept):
    kept.begin()
    shown = {**container("a", NOW, "WEAVE_CIDR=", pid=7), "Name": "/b"}
    run = run_named("a", NOW, 7)
    kept.timeline.begin(shown, type(run)(run.id, "b", run.pid, run.started), [""])
    assert [story.name for story in kept.timeline] == ["b"]


def test_of_whom_it_never_heard_it_says_nothing(kept):
    kept.fail()
    kept.timeline.see(id_of("a"), Process.COMMAND)
    kept.timeline.end(id_of("a"))
    kept.timeline.remove(id_of("a"))
    assert list(kept.timeline) == kept.told == []


def test_the_end_of_an_older_run_says_nothing_of_this_one(kept):
    kept.begin()
    kept.timeline.end(id_of("a"), NOW - 1, 0)
    assert kept.state() == "waiting"
    kept.timeline.end(id_of("a"), NOW + 1, 0)
    assert kept.state() == "ended"


def test_struck_out_of_the_book_it_has_ended_until_it_goes_on(kept):
    kept.begin()
    kept.timeline.note(id_of("a"), None)
    assert kept.state() == "ended"
    kept.begin()
    assert kept.state() == "waiting"


def test_nobody_looks_at_one_that_has_ended(kept):
    kept.begin()
    kept.timeline.end(id_of("a"), NOW + 1, 0)
    kept.timeline.see(id_of("a"), Process.COMMAND)
    assert kept.state() == "ended"


def test_removed_it_is_gone_unless_it_failed(kept):
    kept.begin("a")
    kept.begin("b")
    kept.fail("b")
    kept.timeline.remove(id_of("a"))
    kept.timeline.remove(id_of("b"))
    (story,) = kept.timeline
    assert (story.name, story.state, story.removed) == ("b", "failed", True)
    assert kept.told[-2:] == [id_of("a"), id_of("b")]


def test_the_engines_list_says_who_has_ended_and_who_is_gone(kept):
    for name in ("runs", "stopped", "gone"):
        kept.begin(name)
    kept.begin("newer", at=NOW + 11)
    existing = {id_of("runs"), id_of("stopped")}
    kept.timeline.keep(existing, {id_of("runs")}, NOW + 10)
    states = {story.name: story.state for story in kept.timeline}
    assert states == {"runs": "waiting", "stopped": "ended", "newer": "waiting"}


def test_a_failure_that_was_removed_outlives_the_engines_list(kept):
    kept.begin()
    kept.fail()
    kept.timeline.remove(id_of("a"))
    kept.timeline.keep(set(), set(), NOW + 10)
    assert kept.state() == "failed"


def test_failures_that_were_removed_are_the_newest_few(kept, monkeypatch):
    monkeypatch.setattr(module, "MOST_REMOVED", 2)
    for name in ("a", "b", "c"):
        kept.begin(name)
        kept.fail(name)
        kept.timeline.remove(id_of(name))
    assert [story.name for story in kept.timeline] == ["b", "c"]
    assert kept.told[-1] == id_of("a")


def test_stopped_ones_are_the_newest_few_and_who_runs_does_not_count(kept, monkeypatch):
    monkeypatch.setattr(module, "MOST_ENDED", 2)
    kept.begin("runs")
    for name in ("a", "b", "c"):
        kept.begin(name)
        kept.timeline.end(id_of(name), NOW + 1, 0)
    assert [story.name for story in kept.timeline] == ["runs", "b", "c"]


def test_started_again_it_is_none_of_the_stopped(kept, monkeypatch):
    monkeypatch.setattr(module, "MOST_ENDED", 1)
    kept.begin("a")
    kept.timeline.end(id_of("a"), NOW + 1, 0)
    kept.begin("a", pid=8, at=NOW + 2)
    kept.begin("b")
    kept.timeline.end(id_of("b"), NOW + 3, 0)
    assert [story.name for story in kept.timeline] == ["a", "b"]
    attached = Record(run_named("a", NOW + 2, 8), Attached(("10.2.1.5/24",), NOW + 4), NOW + 2)
    kept.timeline.note(id_of("a"), attached)
    story = kept.timeline.get(id_of("a"))
    assert story is not None
    assert story.addresses == ("10.2.1.5/24",)
