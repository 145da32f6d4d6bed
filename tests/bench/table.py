"""How a bench speaks: a row a measurement, beside its baseline and the figure to reach."""

from __future__ import annotations

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
