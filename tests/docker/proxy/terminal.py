"""The docker command on a pseudo-terminal, as a person at a keyboard has it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.docker_cli import DockerCli

PATIENCE_SECONDS = 60


class Terminal:
    """A docker command that runs on a terminal, and all that it has shown so far."""

    def __init__(self, process: subprocess.Popen[bytes], ours: int) -> None:
        self._process = process
        self._ours = ours
        self.shown = b""

    def type(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def until(self, mark: bytes, *, resized: bool = False) -> None:
        """Read until this was shown (by now, or since the beginning)."""
        while mark not in self.shown:
            if resized:
                # The docker command may have had no ear yet for the kernel's own signal.
                self._process.send_signal(signal.SIGWINCH)
            piece = self._read()
            assert piece, f"ended without {mark!r}: {self.shown[-200:]!r}"
            self.shown += piece

    def resize(self, rows: int, columns: int) -> None:
        """The kernel tells the docker command, by SIGWINCH."""
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def end(self) -> tuple[int, str]:
        """Exit code, and all that was shown."""
        while piece := self._read():
            self.shown += piece
        return self._process.wait(PATIENCE_SECONDS), self.shown.decode()

    def _read(self) -> bytes:
        told, _, _ = select.select([self._ours], [], [], PATIENCE_SECONDS)
        assert told, f"nothing more after {self.shown[-200:]!r}"
        try:
            return os.read(self._ours, 65536)
        except OSError:  # EIO: nobody has the other end any more.
            return b""


@contextmanager
def terminal(
    client: DockerCli, *words: str, rows: int = 24, columns: int = 80
) -> Iterator[Terminal]:
    """`docker WORDS` with a terminal of this size for its streams and for its job control."""
    ours, theirs = pty.openpty()
    # setsid -c makes it the controlling terminal: SIGWINCH goes to that one's processes.
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", "docker", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=client.environment(),
    )
    os.close(theirs)
    shown = Terminal(process, ours)
    shown.resize(rows, columns)
    try:
        yield shown
    finally:
        process.kill()
        process.wait()
        os.close(ours)
