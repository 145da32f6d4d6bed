"""When a thing is tried again."""

from __future__ import annotations

from itertools import pairwise

from waitforweave.hooks.schedule import reconnect_delay, retry_delay


def test_attaches_are_retried_as_weave_does_it():
    delays = [retry_delay(failures) for failures in range(1, 12)]
    assert delays[:4] == [2.0, 3.0, 4.5, 6.75]
    assert all(later == min(60.0, 1.5 * sooner) for sooner, later in pairwise(delays))
    assert delays[-2:] == [60.0, 60.0]


def test_ten_thousand_failures_are_as_quick_to_count():
    assert retry_delay(10_000) == 60.0
    assert reconnect_delay(10_000) == 5.0


def test_an_engine_is_asked_soon_first():
    assert reconnect_delay(1) < reconnect_delay(2) < 1.0
