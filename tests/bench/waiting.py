"""What the gate costs while it waits: memory, and whether it ever wakes up."""

from __future__ import annotations

import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from tests.bench.programs import FROZEN
from tests.bench.rtnl import inside
from tests.bench.table import Row
from tests.netns.gate.space import Gate, Space

# Several at a time, so that what they share counts as shared.
PROCESSES = 8
IDLE_SECONDS = 30
FAR_SECONDS = "86400"
# As the gate sleeps: subscribed, and in poll(2).
ASLEEP = """
import _socket, select
sock = _socket.socket(16, 3, 0)
sock.bind((0, 0x111))
poll = select.poll()
poll.register(sock.fileno(), select.POLLIN)
poll.poll()
"""
BARE = [sys.executable, "-I", "-S", "-c", ASLEEP]

Result = TypeVar("Result")


def rows() -> list[Row]:
    """The interface never comes; needs root."""
    with Space() as space:
        return inside(space, lambda: [*memory_rows(), *idle_rows()])


def memory_rows() -> list[Row]:
    """Gates beside bare interpreters that sleep in poll(2) too."""
    gates = measured([[str(FROZEN)]] * PROCESSES, rollups)
    bare = measured([BARE] * PROCESSES, rollups)
    goals = {"Private": "<= 1.1; <= 3.5 MB", "Pss": "<= 1.1"}
    names = {"Private": "private memory while waiting", "Pss": "the same with its share (PSS)"}
    found = []
    for kind, what in names.items():
        value, baseline = gates[kind] / 1000, bare[kind] / 1000
        found.append(Row(f"{what}: bare interpreter", baseline, unit="MB"))
        found.append(Row(f"{what}: gate", value, baseline, goals[kind], "MB"))
    return found


def rollups(pids: list[int]) -> dict[str, float]:
    """The medians of what is only theirs and of PSS, in kB (of 1,000 bytes)."""
    texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    fields = {"Private": ("Private_Clean:", "Private_Dirty:"), "Pss": ("Pss:",)}
    return {
        kind: statistics.median(1.024 * sum(number(text, name) for name in names) for text in texts)
        for kind, names in fields.items()
    }


def number(text: str, name: str) -> int:
    """The number behind a name, in a file of /proc."""
    words = text.split()
    return int(words[words.index(name) + 1])


def idle_rows() -> list[Row]:
    """After the first second: how often they ran in IDLE_SECONDS, and for how long."""
    found = []
    kinds = {"no deadline": "0", "a deadline tomorrow": FAR_SECONDS}
    started = [[f"WAIT_FOR_SECONDS={seconds}", str(FROZEN)] for seconds in kinds.values()]
    for kind, (switches, ms) in zip(kinds, measured(started, idled), strict=True):
        what = f"in {IDLE_SECONDS} s, {kind}"
        found.append(Row(f"context switches {what}", switches, None, "0", ""))
        found.append(Row(f"CPU time {what}", ms, None, "0"))
    return found


def idled(pids: list[int]) -> list[tuple[int, float]]:
    """What each of them did: context switches, and milliseconds on a CPU."""
    threading.Event().wait(1)
    before = [activity(pid) for pid in pids]
    threading.Event().wait(IDLE_SECONDS)
    after = [activity(pid) for pid in pids]
    return [(a[0] - b[0], (a[1] - b[1]) / 1e6) for a, b in zip(after, before, strict=True)]


def activity(pid: int) -> tuple[int, int]:
    """Context switches of both kinds, and nanoseconds on a CPU (proc-pid-schedstat)."""
    status = Path(f"/proc/{pid}/status").read_text()
    kinds = ("voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:")
    nanoseconds = Path(f"/proc/{pid}/schedstat").read_text().split()[0]
    return sum(number(status, kind) for kind in kinds), int(nanoseconds)


def measured(commands: list[list[str]], measure: Callable[[list[int]], Result]) -> Result:
    """What `measure` says of these programs once all sleep; they are ended after it."""
    with ExitStack() as stack:
        return measure([stack.enter_context(asleep(command)) for command in commands])


@contextmanager
def asleep(command: list[str]) -> Iterator[int]:
    """The pid of a program that has begun to wait."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(["env", *command], stdin=quiet, stdout=quiet, stderr=quiet) as process:
        try:
            Gate(process).settled()
            yield process.pid
        finally:
            process.kill()
