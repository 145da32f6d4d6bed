"""How large what `make freeze` makes is, and the image that carries it."""

from __future__ import annotations

from pathlib import Path

from tests.bench.programs import BUNDLE, TOOL
from tests.bench.table import Row


def rows() -> list[Row]:
    """The image is FROM scratch: it is what it carries, of which the gate is one of two parts."""
    gate, tool = megabytes(BUNDLE), megabytes(TOOL)
    return [
        Row("the gate's bundle", gate, None, "<= 12 MB", "MB"),
        Row("image without the operator's tool", gate, None, "<= 16 MB", "MB"),
        Row("image", gate + tool, unit="MB"),
    ]


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
