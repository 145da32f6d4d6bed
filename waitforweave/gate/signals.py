"""The process' signals: caught while waiting, and given back as they were found."""

from __future__ import annotations

import posix

TYPE_CHECKING = False
if TYPE_CHECKING:
    # typeshed has no _signal; `signal` would cost the import of enum.
    import signal as _signal
    from collections.abc import Iterable
else:
    import _signal

# What asks a program to end. PID 1 has no default actions: without a handler the kernel drops
# them, and `docker stop` would take its 10 s.
FATAL = (_signal.SIGHUP, _signal.SIGINT, _signal.SIGQUIT, _signal.SIGTERM)
# Python sets these to be ignored at its start, and exec passes that on.
IGNORED_BY_PYTHON = (_signal.SIGPIPE, _signal.SIGXFSZ)


class Signals:
    """Catches the FATAL signals from its making on; `fd` becomes readable when one has come.

    `mask` are the signals that were blocked when the process began (None: those that are blocked
    now), `ignored` those of SIGPIPE and SIGXFSZ that it was given ignored.
    """

    def __init__(self, mask: Iterable[int] | None = None, ignored: Iterable[int] = ()) -> None:
        self._mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, ()) if mask is None else set(mask)
        # By SIG_BLOCK and SIG_UNBLOCK alone: with SIG_SETMASK glibc would unblock the two signals
        # that are its own, which a program of another libc may have blocked.
        self._free = _signal.valid_signals() - self._mask
        self._ignored = set(ignored)
        self._caught: int | None = None
        self._came = False
        self.fd, wake = posix.pipe2(posix.O_NONBLOCK | posix.O_CLOEXEC)
        _signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        # What we were given ignored stays ignored (nohup, background jobs of a shell).
        self._ours = [n for n in FATAL if _signal.getsignal(n) != _signal.SIG_IGN]
        for number in self._ours:
            _signal.signal(number, self._note)
        # Only now, that a pending one finds a handler. Never less than the mask we were given: what
        # was blocked then is the command's to take.
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, self._free)

    def caught(self) -> int | None:
        """The first signal that has come, or None."""
        if self._came and self._caught is None:
            self._caught = posix.read(self.fd, 1)[0]
        return self._caught

    def _note(self, number: int, frame: object) -> None:
        """One came. Which one the pipe says, in the order of their coming; Python's own is that of
        their numbers. Without this an empty pipe would have to be read, and the exception for that
        is a tenth of the way from the address to exec.
        """
        self._came = True

    def hand_back(self) -> int | None:
        """Put all as it was found, for exec; or the signal that came first: then end by that.

        In this order a signal that falls in between acts as one that comes just after exec.
        """
        # Those that have a handler; any other one acts as it will on the command. What came before
        # has been noted when this returns (PyErr_CheckSignals).
        _signal.pthread_sigmask(_signal.SIG_BLOCK, self._ours)
        for number in self._ours:
            _signal.signal(number, _signal.SIG_DFL)
        for number in IGNORED_BY_PYTHON:
            ignored = number in self._ignored
            _signal.signal(number, _signal.SIG_IGN if ignored else _signal.SIG_DFL)
        caught = self.caught()
        if caught is not None:
            return caught
        # The last look is the last act but one: what comes after it PID 1 loses, as it loses what
        # comes in the command's own first moments.
        pending = (_signal.sigpending() - self._mask).intersection(self._ours)
        if not pending:
            _signal.pthread_sigmask(_signal.SIG_UNBLOCK, self._free)
        return min(pending, default=None)
