"""When a gate becomes its container's command: seen at its exec, by inotify, without any ticks.

An exec, like an end, closes the program that the process was. So the gate's own program, found as
/proc/PID/exe, is watched for being closed (inotify(7)), and whoever waits is looked at then. All
gates of one volume are one file: many that end at once are one look.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import logging
import os
import struct
from collections.abc import Callable
from pathlib import Path

from waitforweave.hooks.process import Process, process_of

log = logging.getLogger(__name__)

# linux/inotify.h
IN_CLOSE_NOWRITE, IN_Q_OVERFLOW, IN_ONESHOT = 0x10, 0x4000, 0x80000000
EVENT = struct.Struct("iIII")
EVENTS_BYTES = 4096
# No rights, or a process that has gone: then its exe cannot be read either, which tells.
NOT_SEEN = {errno.EACCES, errno.EPERM, errno.ENOENT, errno.ESRCH}

# Five hundred gates that end at once cost a look each such time, not five hundred.
LOOK_SECONDS = 0.05


class Becoming:
    """Follows processes that wait; `seen` hears what each is, until it is the gate no more."""

    def __init__(self, seen: Callable[[str, Process], None], proc: Path = Path("/proc")) -> None:
        self._seen = seen
        self._proc = proc
        self._pids: dict[str, int] = {}
        self._inotify: Inotify | None = None
        # Set while a look is due, or was there just now.
        self._pause: asyncio.TimerHandle | None = None
        self._look_again = False

    def follow(self, container: str, pid: int) -> None:
        """From now on; it is looked at at once."""
        self._pids[container] = pid
        self.look_at(container)

    def leave(self, container: str) -> None:
        self._pids.pop(container, None)

    def look_at(self, container: str) -> None:
        # Watched first, looked at second: nothing falls in between.
        pid = self._pids[container]
        self._watch(pid)
        process = process_of(pid, self._proc)
        if process is not Process.GATE:
            self.leave(container)
        self._seen(container, process)

    def look(self) -> None:
        """At all of them, now, or as soon as the last look is long enough ago."""
        if self._pause is not None:
            self._look_again = True
            return
        self._pause = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._pause_over)
        for container in list(self._pids):
            self.look_at(container)

    def _pause_over(self) -> None:
        self._pause = None
        if self._look_again:
            self._look_again = False
            self.look()

    def _watch(self, pid: int) -> None:
        try:
            if self._inotify is None:
                self._inotify = Inotify()
                asyncio.get_running_loop().add_reader(self._inotify.fd, self._woken)
            self._inotify.watch_once(f"{self._proc}/{pid}/exe")
        except OSError as error:
            if error.errno not in NOT_SEEN:
                log.warning("page: whether a gate is through is seen late: %s", error)

    def _woken(self) -> None:
        assert self._inotify is not None
        if self._inotify.closed_any():
            self.look()

    def close(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
        if self._inotify is not None:
            asyncio.get_running_loop().remove_reader(self._inotify.fd)
            self._inotify.close()
            self._inotify = None


class Inotify:
    """The two calls that Python has not. OSError."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.fd: int = self._checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))

    def watch_once(self, path: str) -> None:
        """Tell when the file that `path` leads to is closed next; a second watch is the first."""
        mask = IN_CLOSE_NOWRITE | IN_ONESHOT
        self._checked(self._libc.inotify_add_watch(self.fd, os.fsencode(path), mask))

    def closed_any(self) -> bool:
        """Whether a file was closed; reads all that is there to be read."""
        try:
            events = EVENT.iter_unpack(os.read(self.fd, EVENTS_BYTES))
        except BlockingIOError:
            return False
        # Beside it comes IN_IGNORED: that watch was for once. Overflown, anything may have been.
        return any(mask & (IN_CLOSE_NOWRITE | IN_Q_OVERFLOW) for _, mask, _, _ in events)

    def close(self) -> None:
        os.close(self.fd)

    def _checked(self, result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result
