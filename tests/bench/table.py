"""How a bench measures, in turns, and speaks: a row a measurement, beside its baseline."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measurement: milliseconds, those of its baseline in the same run, and the goal."""

    what: str
    ms: float
    baseline_ms: float | None = None
    goal: str = ""


def show(rows: list[Row]) -> str:
    """An aligned table: what, milliseconds, how much more, how many times, and the goal."""
    lines = [f"{'':<44}{'ms':>9}{'more':>9}{'ratio':>8}  goal"]
    for row in rows:
        line = f"{row.what:<44}{row.ms:>9.2f}"
        if row.baseline_ms is not None:
            line += f"{row.ms - row.baseline_ms:>+9.2f}{row.ms / row.baseline_ms:>7.2f}x"
            line += f"  {row.goal}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def medians(rounds: int, kinds: dict[str, Callable[[], float]]) -> dict[str, float]:
    """The median of each kind, in its own unit; in turns, so that all share the noise."""
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, measured in kinds.items():
            taken[name].append(measured())
    return {name: statistics.median(values) for name, values in taken.items()}
