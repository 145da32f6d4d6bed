"""What is known of the processes of a launch."""

from __future__ import annotations

import os

import psutil
import pytest

from waitforweave.launch import on_host
from waitforweave.launch.on_host import Process, Record, end_programs, states, write
from waitforweave.launch.settings import LaunchError


def test_a_part_that_was_never_started_does_not_run():
    ours = Process(os.getpid(), psutil.Process().create_time())
    assert states(Record("{}", {"hooks": ours})) == [("hooks", True), ("proxy", False)]


def test_another_process_under_the_same_number_is_not_ours():
    other = Process(os.getpid(), psutil.Process().create_time() - 60)
    assert states(Record("{}", {"proxy": other})) == [("hooks", False), ("proxy", False)]


def test_a_file_that_cannot_be_written_anew_stays_as_it_was(tmp_path):
    path = tmp_path / "launch.json"
    write(path, b"before")
    (tmp_path / "launch.json.new").mkdir()
    with pytest.raises(LaunchError, match=rf"^{path}: Is a directory$"):
        write(path, b"after")
    assert path.read_bytes() == b"before"


def test_a_damaged_record_says_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr(on_host, "RUN_FOLDER", tmp_path)
    record = on_host.Folders.of("unix:///e.sock").record
    record.parent.mkdir()
    record.touch()
    with pytest.raises(LaunchError, match=rf"^{record} cannot be read: .*, and remove it$"):
        on_host.recorded("unix:///e.sock")


def test_who_is_not_root_ends_no_process_of_root(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    gone = Process(os.getpid(), psutil.Process().create_time() - 60)
    with pytest.raises(LaunchError, match=r"^--host-process needs root"):
        end_programs(Record("{}", {"hooks": gone}))
