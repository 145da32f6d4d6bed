"""How a bench measures, in turns, and speaks: a row a measurement, beside its baseline."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# A unit is shown with as many digits as mean something.
DIGITS = {"ms": 2, "MB": 2, "kB": 0, "": 0}


@dataclass(frozen=True)
class Row:
    """One measurement, that of its baseline in the same run, and the goal; all in `unit`."""

    what: str
    value: float
    baseline: float | None = None
    goal: str = ""
    unit: str = "ms"

    def line(self) -> str:
        digits = DIGITS[self.unit]
        line = f"{self.what:<48}{self.value:>9.{digits}f} {self.unit:<2}"
        if self.baseline is None:
            line += " " * 17
        else:
            line += f"{self.value - self.baseline:>+9.{digits}f}{self.value / self.baseline:>7.2f}x"
        return f"{line}  {self.goal}".rstrip()


def show(rows: list[Row]) -> str:
    """An aligned table: what, how much, how much more, how many times, and the goal."""
    head = f"{'':<48}{'':>12}{'more':>9}{'ratio':>8}  goal"
    return "\n".join([head, *(row.line() for row in rows)])


def medians(rounds: int, kinds: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """The median of each kind, in its own unit; in turns, so that all share the noise."""
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, measured in kinds.items():
            taken[name].append(measured())
    return {name: statistics.median(values) for name, values in taken.items()}
