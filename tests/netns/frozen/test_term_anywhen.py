"""2,000 TERMs to the first process of a pid namespace, from its exec until the command has it in
hand: each ends the gate or reaches the command. The kernel drops only what comes before the
launcher's first act, and what comes between the gate's last look and the command's handler, where
it would without us too."""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import dataclass

import pytest

from tests.netns.gate.space import Space
from tests.support.compiled import compiled

AT_ONCE = 3
RANDOM = 1_000
ENVIRON = {"WEAVE_CIDR": "10.2.1.5/24", "PATH": "/usr/bin:/bin"}
PLACES = ["exec", "launcher", "start", "watching", "handing", "program-start", "program", "gone"]
# Stops of system calls: the end of the last look, the mask put back, the beginning of the exec.
MOST_BETWEEN_LOOK_AND_EXEC = 4


@dataclass(frozen=True)
class Sent:
    """One TERM: where the process was before and after it, at which stop, and who took it."""

    before: str
    after: str
    stop: int
    taker: str


def send(space: Space, gate: str, words: list[tuple[str, str, str]]) -> list[Sent]:
    """What c/term.c tells, run once for each of `words`, all at once."""
    term = str(compiled("term"))
    running = [
        subprocess.Popen(
            space.enter(term, *three, gate, term, "program"), env=ENVIRON, stdout=subprocess.PIPE
        )
        for three in words
    ]
    said = [process.communicate()[0].decode().splitlines() for process in running]
    assert [process.returncode for process in running] == [0] * len(running)
    lines = [line.split() for part in said for line in part]
    return [Sent(before, after, int(stop), taker) for before, after, _, stop, taker in lines]


@pytest.fixture(scope="module")
def stepwise(ready: Space, frozen: str) -> list[Sent]:
    """One at each stop of a system call between exec and the command's sleep."""
    words = [("steps", str(first), str(AT_ONCE)) for first in range(AT_ONCE)]
    return sorted(send(ready, frozen, words), key=lambda sent: sent.stop)


def test_at_every_system_call_it_is_taken(stepwise: list[Sent]) -> None:
    takers = {place: {s.taker for s in stepwise if s.before == place} for place in PLACES[:-1]}
    assert takers == {
        "exec": {"lost", "gate"},
        "launcher": {"gate"},
        "start": {"gate"},
        "watching": {"gate"},
        "handing": {"gate", "lost"},
        "program-start": {"lost", "program"},
        "program": {"program"},
    }


def test_there_is_little_time_in_which_nobody_takes_it(stepwise: list[Sent]) -> None:
    where = Counter(sent.before for sent in stepwise if sent.taker == "lost")
    assert where["handing"] <= MOST_BETWEEN_LOOK_AND_EXEC
    # Before the launcher's first act: what libc does before its main().
    assert where["exec"] <= 6


def test_at_random_it_is_taken(ready: Space, frozen: str, stepwise: list[Sent]) -> None:
    count = max(RANDOM, 2 * RANDOM - len(stepwise)) // AT_ONCE + 1
    sent = send(ready, frozen, [("storm", str(count), str(seed)) for seed in range(AT_ONCE)])
    assert len(sent) + len(stepwise) >= 2 * RANDOM
    unexplained = [each for each in sent if each.taker == "lost" and not droppable(each)]
    assert not unexplained
    takers = Counter(each.taker for each in sent)
    assert set(takers) <= {"gate", "program", "lost"}
    # It hit all over the place: else this would show nothing.
    assert min(takers["gate"], takers["program"]) >= len(sent) / 10
    assert takers["lost"] <= len(sent) / 10
    assert {"start", "watching", "program"} <= {each.before for each in sent}


def droppable(sent: Sent) -> bool:
    """May it have come where there was nobody to take it? It came between two looks."""
    before, after = PLACES.index(sent.before), PLACES.index(sent.after)
    at_first = before == PLACES.index("exec")
    at_last = before <= PLACES.index("program-start") and after >= PLACES.index("handing")
    return at_first or at_last
