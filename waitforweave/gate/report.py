"""What a person or a log reader sees: lines of text, or one JSON object a line, on stderr."""

from __future__ import annotations

import posix
from select import POLLIN, POLLOUT, poll
from time import gmtime, monotonic, strftime, time

from waitforweave.gate.options import JSON

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from waitforweave.gate.conditions import Finding, Verdict
    from waitforweave.gate.options import LogFormat

    Event = Literal[
        "waiting", "changed", "ready", "timeout", "hopeless", "signal", "error", "explain"
    ]

STDOUT, STDERR = 1, 2
# How long a full pipe or a stopped terminal is waited for.
LOG_MILLISECONDS = 100
# What a pipe takes without blocking when it is writable at all (pipe(7), poll(2)).
PIPE_BUF = 4096
# Erase to the end of the line: ECMA-48, EL.
ERASE = "\x1b[K"
LABELS = {"ready": "ready", "waiting": "missing", "hopeless": "hopeless"}
TO_BE_ESCAPED = {'"': '\\"', "\\": "\\\\"}


class Log:
    """Where lines go; `started` is when the gate did, by the monotonic clock."""

    def __init__(self, started: float) -> None:
        self.started = started
        self.form: LogFormat = "text"
        # A terminal has one line for us that is written over, and whether it is there now.
        self.on_terminal = False
        self._open = False
        # The line before was dropped: the next ones are not waited for, or a hundred changes would
        # hold up the command for ten seconds.
        self._is_unread = False

    def say(
        self,
        event: Event,
        message: str,
        *,
        code: int | None = None,
        verdict: Verdict | None = None,
        hint: str | None = None,
    ) -> None:
        """One event. `code` is the exit code, if that is what comes next; with a `hint` what to do
        now, each thing that was asked for gets a line of its own."""
        findings = verdict.findings if verdict is not None else ()
        if self.form == JSON:
            self._write(self.json(event, message, code, findings, hint), code)
            return
        lines = message.splitlines()
        if hint is not None:
            lines += [*map(shown, findings), hint]
        self.close()
        self._write("".join(f"wait-for-weave: {line}\n" for line in lines), code)

    def show(self, event: Event, message: str, verdict: Verdict) -> None:
        """One event that the next may take the place of: on a terminal, over the line before."""
        if not self.on_terminal or self.form == JSON:
            self.say(event, message, verdict=verdict)
            return
        line = f"wait-for-weave: {message}"[: columns() - 1]
        self._write(f"\r{line}{ERASE}")
        self._open = True

    def close(self) -> None:
        """Nothing is to be written over any more."""
        if self._open:
            self._write(f"\r{ERASE}")
            self._open = False

    def _write(self, text: str, code: int | None = None) -> None:
        """With a `code` it is the last word, which is always waited for."""
        patience = 0 if self._is_unread and code is None else LOG_MILLISECONDS
        self._is_unread = not write(STDERR, text, patience=patience)

    def json(
        self,
        event: Event,
        message: str,
        code: int | None,
        findings: Sequence[Finding],
        hint: str | None = None,
    ) -> str:
        """One line; the keys are always the same."""
        now = time()
        stamp = strftime("%Y-%m-%dT%H:%M:%S", gmtime(now)) + f".{int(now % 1 * 1000):03}Z"
        asked = ", ".join(f"{{{pairs_of(finding)}}}" for finding in findings)
        return (
            f'{{"time": "{stamp}", "program": "wait-for-weave", "event": "{event}", '
            f'"seconds": {monotonic() - self.started:.3f}, '
            f'"code": {"null" if code is None else code}, "message": {quoted(message)}, '
            f'"hint": {"null" if hint is None else quoted(hint)}, "asked": [{asked}]}}\n'
        )


def pairs_of(finding: Finding) -> str:
    """A finding's members of a JSON object."""
    what, found = quoted(finding.what), quoted(finding.found)
    return f'"what": {what}, "state": "{LABELS[finding.state]}", "found": {found}'


def shown(finding: Finding) -> str:
    """A thing that was asked for, on a line of its own."""
    return f"  {LABELS[finding.state] + ':':<10}{finding.what}: {finding.found}"


def quoted(text: str) -> str:
    """A JSON string (RFC 8259, 7). The json module would cost more than the whole gate."""
    escaped = "".join(
        TO_BE_ESCAPED.get(char, char) if " " <= char <= "~" else f"\\u{ord(char):04x}"
        for char in text
    )
    return f'"{escaped}"'


def columns() -> int:
    """How wide the terminal is; 80 where it does not say."""
    try:
        return posix.get_terminal_size(STDERR).columns or 80
    except OSError:
        return 80


def write(fd: int, text: str, *, wake_fd: int | None = None, patience: int | None = None) -> bool:
    """Past sys.stdout and sys.stderr, which are None when the file is closed at start; a closed or
    broken one is no reason to end otherwise, and a log that nobody reads holds up nothing. What
    makes `wake_fd` readable ends it, and that nothing more is taken for `patience` milliseconds.
    Was all of it taken?"""
    rest = text.encode("ascii", "backslashreplace")
    poller = poll()
    poller.register(fd, POLLOUT)
    if wake_fd is not None:
        poller.register(wake_fd, POLLIN)
    try:
        # Not write(2) alone: Python goes on with it after a signal (PEP 475), which could then not
        # end the gate.
        # Nor where poll(2) sees an error: after the hand-over SIGPIPE would end the gate.
        while rest and poller.poll(patience) == [(fd, POLLOUT)]:
            rest = rest[posix.write(fd, rest[:PIPE_BUF]) :]
    except OSError:
        pass
    return not rest


def duration(seconds: float) -> str:
    """As few digits as it takes: "30 s", "0.2 s"."""
    return f"{seconds:.9f}".rstrip("0").rstrip(".") + " s"
