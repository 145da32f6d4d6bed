"""What a container's first process is now, and when the engine says that something was."""

from __future__ import annotations

import os
from datetime import datetime
from enum import Enum
from pathlib import Path

import psutil

from waitforweave.docker.create import GATE

# A process' start is told in whole seconds after the boot, a container's by another clock.
CLOCKS_SECONDS = 1.0
GATE_FOLDER = GATE.rpartition("/")[0] + "/"


class Process(Enum):
    """What a container's first process is now."""

    GATE = "gate"
    COMMAND = "command"
    UNSEEN = "unseen"


def process_of(pid: int, proc: Path = Path("/proc")) -> Process:
    """Whether the gate has become the container's command yet: the same process, another program.

    The link names the program as the container sees it, and the gate's folder is the gate's only.
    """
    try:
        # Not by pathlib: every attach waits for this.
        program = os.readlink(f"{proc}/{pid}/exe")  # noqa: PTH115
    except OSError:
        return Process.UNSEEN
    return Process.GATE if program.startswith(GATE_FOLDER) else Process.COMMAND


def is_gone(pid: int) -> bool:
    """Whether a process has ended, or does just now: its namespaces go before it is a zombie."""
    try:
        os.readlink(f"/proc/{pid}/ns/net")  # noqa: PTH115 - as above
    except (FileNotFoundError, ProcessLookupError):
        return True
    except OSError:
        return False
    return False


def is_running(pid: int, started: str) -> bool:
    """Whether the first process of the run that `started` then (RFC 3339) is there, which no other
    run of its container has beside it; False where that cannot be told. The pid's next process
    would have been started after the run."""
    run = seconds(started)
    try:
        created = psutil.Process(pid).create_time()
    except psutil.Error:
        return False
    return run is not None and created <= run + CLOCKS_SECONDS


def is_of(process: psutil.Process, pid: int) -> bool:
    """Whether it is the process of this pid, and not another that got its number; one that has
    ended meanwhile was it."""
    try:
        return process.pid == pid and process == psutil.Process(pid)
    except psutil.Error:
        return True


def seconds(text: str) -> float | None:
    """RFC 3339 as the engine writes it: with nanoseconds, of which Python reads the microseconds;
    in UTC, or in podman's own time zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo is not None else None
