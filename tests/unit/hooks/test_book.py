"""What is known of each container."""

from __future__ import annotations

from waitforweave.gate.weave_cidr import parse
from waitforweave.hooks.book import Attached, Attaching, Book, Failed, Run, run_of

ONE = Run("c1", "a", 10, "2026-01-01T00:00:00Z")
NEXT = Run("c1", "a", 11, "2026-01-01T00:01:00Z")
DONE = Attached(("10.2.1.5/24",), 5.0)


def begun(run: Run = ONE, asked: float = 3.0) -> Book:
    book = Book()
    book.begin(run, asked, 4.0)
    return book


def test_an_attach_begins_and_ends():
    book = begun()
    assert [record.state for record in book] == [Attaching(4.0)]
    assert book.attached(ONE) is None
    book.settle(ONE, DONE)
    assert book.attached(ONE) == DONE
    assert book.attached(NEXT) is None


def test_retries_are_counted_within_a_run():
    book = begun()
    for _ in range(2):
        book.settle(ONE, Failed("why", 5.0))
        book.again("c1", 7.0)
        record = book.get("c1")
        assert record is not None
        assert record.state == Failed("why", 5.0, again=7.0)
        book.begin(ONE, 8.0, 8.0)
    assert [record.retries for record in book] == [2]
    book.begin(NEXT, 9.0, 9.0)
    assert [record.retries for record in book] == [0]


def test_a_late_end_of_an_older_run_changes_nothing():
    book = begun()
    book.begin(NEXT, 6.0, 6.0)
    book.settle(ONE, DONE)
    assert [record.state for record in book] == [Attaching(6.0)]
    book.end(ONE)
    assert [record.state for record in book] == [Attaching(6.0)]
    book.end(NEXT)
    book.settle(NEXT, DONE)
    book.again("c1", 1.0)
    assert list(book) == []


def test_an_event_is_old_news_only_to_who_asked_later_and_attached():
    book = begun(asked=3.0)
    assert not book.covers("c1", 2.0)
    book.settle(ONE, Failed("why", 5.0))
    assert not book.covers("c1", 2.0)
    book.settle(ONE, DONE)
    assert book.covers("c1", 2.0)
    assert not book.covers("c1", 3.5)
    assert not book.covers("c2", 2.0)


def test_what_is_left_alone_is_so_until_it_is_destroyed():
    book = Book()
    assert book.leave_alone("c1")
    assert not book.leave_alone("c1")
    assert book.is_left_alone("c1")
    book.forget("c1")
    assert not book.is_left_alone("c1")


def test_what_is_promised_is_so_until_it_is_destroyed():
    book, wanted = Book(), parse("10.2.1.5/24")
    assert book.promised("c1") == ()
    for each in ("c1", "c2", "c3"):
        book.promise(each, wanted)
    book.forget("c1")
    book.keep({"c2"}, set(), asked=0.0)
    assert [book.promised(each) for each in ("c1", "c2", "c3")] == [(), wanted, ()]


def test_what_the_engine_does_not_know_or_run_is_dropped():
    book = begun(asked=3.0)
    book.leave_alone("c2")
    book.leave_alone("c3")
    book.keep({"c1", "c2"}, {"c2"}, asked=3.0)
    assert [record.run for record in book] == [ONE], "noted after that question"
    book.keep({"c1", "c2"}, {"c2"}, asked=4.0)
    assert list(book) == []
    assert (book.is_left_alone("c2"), book.is_left_alone("c3")) == (True, False)


def test_a_run_is_the_same_under_another_name():
    assert Run("c1", "b", 10, ONE.started) == ONE
    assert str(ONE) == "a (c1)"


def test_one_between_two_runs_has_none():
    shown = {"Id": "c1", "Name": "/a", "State": {"Running": True, "Pid": 0}}
    assert run_of(shown) is None
    shown["State"] = {"Running": True, "Pid": 10, "StartedAt": ONE.started}
    assert run_of(shown) == ONE
