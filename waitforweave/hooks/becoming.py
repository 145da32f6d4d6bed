"""When a gate becomes its container's command: seen at its exec, by inotify, without any ticks.

An exec, like an end, closes the program that the process was. So the gate's own program, found as
/proc/PID/exe, is watched for being closed (inotify(7)), and whoever waits is looked at then. All
gates of one volume are one file: many that end at once are one look.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable
from pathlib import Path

from waitforweave.hooks.process import Process, process_of
from waitforweave.inotify import OVERFLOW, Inotify

log = logging.getLogger(__name__)

# linux/inotify.h
IN_CLOSE_NOWRITE, IN_ONESHOT = 0x10, 0x80000000
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
        self._closed: Closed | None = None
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
            if self._closed is None:
                self._closed = Closed()
                asyncio.get_running_loop().add_reader(self._closed.fd, self._woken)
            self._closed.watch_once(f"{self._proc}/{pid}/exe")
        except OSError as error:
            if error.errno not in NOT_SEEN:
                log.warning("page: whether a gate is through is seen late: %s", error)

    def _woken(self) -> None:
        assert self._closed is not None
        if self._closed.closed_any():
            self.look()

    def close(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
        if self._closed is not None:
            asyncio.get_running_loop().remove_reader(self._closed.fd)
            self._closed.close()
            self._closed = None


class Closed(Inotify):
    """Tells of files that were closed, each once. OSError."""

    def watch_once(self, path: str) -> None:
        """Tell when the file that `path` leads to is closed next; a second watch is the first."""
        self.add(path, IN_CLOSE_NOWRITE | IN_ONESHOT)

    def closed_any(self) -> bool:
        """Whether a file was closed; reads all that is there to be read."""
        # Beside it comes IN_IGNORED: that watch was for once. Overflown, anything may have been.
        return any(mask & (IN_CLOSE_NOWRITE | OVERFLOW) for _, mask, _ in self.read())
