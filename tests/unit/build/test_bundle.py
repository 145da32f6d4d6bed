"""Putting a new bundle where the old one is."""

from __future__ import annotations

from pathlib import Path

import pytest

from build.bundle import replaced


def folder(path: Path) -> Path:
    path.mkdir()
    (path / "file").write_text(path.name)
    return path


@pytest.mark.parametrize("there", [(), ("gate",), ("gate", ".gate.old"), (".gate.old",)])
def test_the_new_one_stands_there_alone_whatever_was_left(
    tmp_path: Path, there: tuple[str, ...]
) -> None:
    for name in there:
        folder(tmp_path / name)
    made = replaced(tmp_path / "gate", folder(tmp_path / ".gate"))
    assert (made / "file").read_text() == ".gate"
    assert list(tmp_path.iterdir()) == [made]
