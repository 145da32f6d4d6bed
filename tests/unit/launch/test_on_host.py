"""What is known of the processes of a launch."""

from __future__ import annotations

import os

import psutil

from waitforweave.launch.on_host import Process, Record, states


def test_a_part_that_was_never_started_does_not_run():
    ours = Process(os.getpid(), psutil.Process().create_time())
    assert states(Record("{}", {"hooks": ours})) == [("hooks", True), ("proxy", False)]


def test_another_process_under_the_same_number_is_not_ours():
    other = Process(os.getpid(), psutil.Process().create_time() - 60)
    assert states(Record("{}", {"proxy": other})) == [("hooks", False), ("proxy", False)]
