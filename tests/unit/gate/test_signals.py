"""The mask is given back bit for bit: each test in a process of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from tests.support import raw
from waitforweave.gate.signals import Signals


def in_a_child(act: Callable[[], None]) -> None:
    """Run it there; what it raises is seen on stderr."""
    child = os.fork()
    if child == 0:
        try:
            act()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(
    "blocked", [[], [32], [33, 40], [signal.SIGUSR1, 32], list(raw.ALL)], ids=str
)
def test_the_mask_comes_back_whole_without_a_launcher(blocked: list[int]) -> None:
    def act() -> None:
        before = raw.block(*blocked)
        signals = Signals()
        assert raw.block() == before
        assert signals.hand_back() is None
        assert raw.block() == before

    in_a_child(act)


@pytest.mark.parametrize("mask", [set(), {signal.SIGUSR1, signal.SIGTERM}], ids=str)
@pytest.mark.parametrize("glibcs", [[], [32, 33]], ids=str)
def test_the_mask_is_the_launchers_and_glibcs_own_stay(mask: set[int], glibcs: list[int]) -> None:
    def act() -> None:
        before = raw.block(*mask, *glibcs)
        raw.block(*(number for number in raw.ALL if number not in (32, 33)))
        signals = Signals(mask)
        assert raw.block() == before
        assert signals.hand_back() is None
        assert raw.block() == before

    in_a_child(act)
