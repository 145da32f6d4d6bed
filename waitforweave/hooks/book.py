"""What we know of each gated container that runs: one record, in one of three states. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field, replace

from waitforweave.docker.create import LeftAlone
from waitforweave.docker.json_object import Object
from waitforweave.gate.weave_cidr import Wanted


@dataclass(frozen=True)
class Run:
    """One run of a container, from its start to its end; the next one has another pid."""

    id: str
    name: str = field(compare=False)  # docker rename
    pid: int
    started: str

    def __str__(self) -> str:
        """Name and short id, as `docker ps` shows them."""
        return shown(self.name, self.id)


@dataclass(frozen=True)
class Attaching:
    """An attach is under way."""

    since: float


@dataclass(frozen=True)
class Attached:
    """It has its interface. `late`: its command ran already when we began, so that nobody knows
    how long it had waited: a server that was started anew looks at all that runs."""

    addresses: tuple[str, ...]
    at: float
    late: bool = False


@dataclass(frozen=True)
class Failed:
    """It has not, and why; `again` is when we try again, None where nobody does."""

    reason: str
    at: float
    again: float | None = None


@dataclass(frozen=True)
class Ended:
    """There is nothing to attach any more; no failure (weave#812)."""


State = Attaching | Attached | Failed
Outcome = Attached | Failed | LeftAlone | Ended


@dataclass(frozen=True)
class Record:
    """`asked` is when the engine was asked about this run, `retries` how often we tried again."""

    run: Run
    state: State
    asked: float
    retries: int = 0


class Book:
    """Records by container id. What ends is struck out. `changed` hears of each new record, and
    of None for one that was struck out."""

    def __init__(self, changed: Callable[[str, Record | None], None] = lambda *_: None) -> None:
        self._changed = changed
        self._records: dict[str, Record] = {}
        # For good: neither environment nor network mode of a container ever change.
        self._left_alone: set[str] = set()
        self._promised: dict[str, tuple[Wanted, ...]] = {}

    def __iter__(self) -> Iterator[Record]:
        return iter(list(self._records.values()))

    def get(self, container: str) -> Record | None:
        return self._records.get(container)

    def begin(self, run: Run, asked: float, now: float) -> None:
        """An attach of this run begins."""
        before = self._records.get(run.id)
        retries = 0
        if before is not None and before.run == run:
            retries = before.retries + isinstance(before.state, Failed)
        self._put(Record(run, Attaching(now), asked, retries))

    def settle(self, run: Run, state: Attached | Failed) -> None:
        """It has ended so; a newer run's record stays."""
        before = self._records.get(run.id)
        if before is not None and before.run == run:
            self._put(replace(before, state=state))

    def again(self, container: str, when: float) -> None:
        """A failed attach will be tried again then."""
        before = self._records.get(container)
        if before is not None and isinstance(before.state, Failed):
            self._put(replace(before, state=replace(before.state, again=when)))

    def _put(self, record: Record) -> None:
        self._records[record.run.id] = record
        self._changed(record.run.id, record)

    def strike_out(self, container: str) -> None:
        """It has ended."""
        if self._records.pop(container, None) is not None:
            self._changed(container, None)

    def end(self, run: Run) -> None:
        """This run has ended; a newer one's record stays."""
        before = self._records.get(run.id)
        if before is not None and before.run == run:
            self.strike_out(run.id)

    def promise(self, container: str, wanted: tuple[Wanted, ...]) -> None:
        """This one shall have these addresses whenever it runs."""
        self._promised[container] = wanted

    def promised(self, container: str) -> tuple[Wanted, ...]:
        """Its addresses; () also where that is not known."""
        return self._promised.get(container, ())

    def leave_alone(self, container: str) -> bool:
        """This one is none of ours; whether that is new."""
        new = container not in self._left_alone
        self._left_alone.add(container)
        return new

    def is_left_alone(self, container: str) -> bool:
        return container in self._left_alone

    def forget(self, container: str) -> None:
        """It is destroyed."""
        self.strike_out(container)
        self._left_alone.discard(container)
        self._promised.pop(container, None)

    def keep(self, existing: Set[str], running: Set[str], asked: float) -> None:
        """Strike out what does not run, and forget what is not there, as the engine was `asked`
        then; of what was noted since its answer knows nothing."""
        self._left_alone &= existing
        for gone in self._promised.keys() - existing:
            del self._promised[gone]
        self._records = {
            container: record
            for container, record in self._records.items()
            if container in running or record.asked >= asked
        }

    def waiting(self) -> int:
        """How many run without their interface."""
        return sum(not isinstance(record.state, Attached) for record in self)

    def attached(self, run: Run) -> Attached | None:
        """How this very run was attached, if it was."""
        record = self._records.get(run.id)
        if record is None or record.run != run or not isinstance(record.state, Attached):
            return None
        return record.state

    def covers(self, container: str, event: float) -> bool:
        """Whether an event of that time tells us nothing new: we asked later, and attached."""
        record = self._records.get(container)
        return record is not None and isinstance(record.state, Attached) and record.asked >= event


def run_of(container: Object) -> Run | None:
    """The run of a container as the engine shows it; None if it has no process.

    One that is between two runs of its restart policy is "Running" for the engine, but has none.
    """
    pid = container["State"].get("Pid") or 0
    if not pid:
        return None
    name = container["Name"].lstrip("/")
    return Run(container["Id"], name, pid, container["State"].get("StartedAt") or "")


def name_of(container: Object) -> str:
    """Name and short id of a container as the engine shows it; as `docker ps` has them."""
    return shown(container["Name"].lstrip("/"), container["Id"])


def shown(name: str, identity: str) -> str:
    return f"{name} ({identity[:12]})"
