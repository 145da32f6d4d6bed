"""Reading /proc, which may be absent or a sandbox's."""

from __future__ import annotations

from pathlib import Path

from waitforweave.gate import procfs


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    content = bytes(3 * procfs.CHUNK_BYTES + 1)
    (tmp_path / "file").write_bytes(content)
    assert procfs.read_file(f"{tmp_path}/file") == content


def test_what_is_not_there_or_opens_without_being_read_is_none(tmp_path: Path) -> None:
    assert procfs.read_file(f"{tmp_path}/nothing") is None
    assert procfs.read_file(str(tmp_path)) is None
