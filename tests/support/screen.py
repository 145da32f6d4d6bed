"""A terminal on which a command writes, and what it has written there."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.launched import ROOT

PATIENCE_SECONDS = 60.0


@dataclass
class Screen:
    """`shown`: all that was read so far; `passed`: up to where it was waited for."""

    terminal: int
    process: subprocess.Popen[bytes]
    shown: bytes = b""
    passed: int = field(default=0)

    def until(self, text: bytes) -> None:
        """It shows this, after all that was waited for before."""
        while (found := self.shown.find(text, self.passed)) < 0:
            assert self.read(), self.shown
        self.passed = found + len(text)

    def read(self) -> bool:
        """What comes next; False at the end, when nobody has the terminal open any more."""
        readable, _, _ = select.select([self.terminal], [], [], PATIENCE_SECONDS)
        assert readable, self.shown
        try:
            chunk = os.read(self.terminal, 65536)
        except OSError:  # EIO
            return False
        self.shown += chunk
        return bool(chunk)

    def ended(self) -> int:
        """Its exit code, after all that it has written."""
        while self.read():
            pass
        return self.process.wait(PATIENCE_SECONDS)


@contextmanager
def on_screen(command: Sequence[str], **environ: str) -> Iterator[Screen]:
    """The command with a terminal as stdout and stderr, and a pipe as stdin."""
    ours, its = os.openpty()
    given = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    given |= {"TERM": "xterm", "COLUMNS": "150", "LINES": "40", **environ}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=its, stderr=its, cwd=ROOT, env=given
    ) as process:
        os.close(its)
        try:
            yield Screen(ours, process)
        finally:
            process.kill()
            os.close(ours)
