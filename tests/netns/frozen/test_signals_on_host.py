"""The frozen gate as a shell's job at a terminal (Ctrl-C, Ctrl-\\, Ctrl-Z), and stopped."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import termios
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil
import pytest

from tests.netns.gate.space import Gate, Space

ENVIRON = {"WEAVE_CIDR": "10.2.1.5/24", "WAIT_FOR_SECONDS": "0", "PATH": "/usr/bin:/bin"}
# With jobs of its own: it says how its job ended, and continues one that was stopped.
SHELL = 'read go; "$@"; code=$?; echo "code $code."; [ $code != 148 ] || { fg; echo "then $?."; }'


@dataclass
class Terminal:
    """A terminal with a shell, whose only job is in the foreground."""

    master: int
    shell: subprocess.Popen[bytes]

    def press(self, key: bytes) -> None:
        os.write(self.master, key)

    def read_until(self, end: str) -> str:
        shown = b""
        while end.encode() not in shown:
            shown += os.read(self.master, 4096)
        return shown.decode()

    def job(self) -> Gate:
        """The shell's one child."""
        job = Gate(self.shell)
        (job.pid,) = [child.pid for child in psutil.Process(self.shell.pid).children()]
        return job


@pytest.fixture
def terminal(space: Space) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def start(*words: str) -> Terminal:
        master, slave = pty.openpty()
        shell = subprocess.Popen(
            space.enter("sh", "-m", "-c", SHELL, "sh", *words),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            preexec_fn=take_terminal,  # noqa: PLW1509 - these tests have no threads
            env=ENVIRON,
        )
        os.close(slave)
        opened.append(Terminal(master, shell))
        opened[-1].press(b"go\n")
        opened[-1].read_until("go")
        return opened[-1]

    yield start
    for each in opened:
        left = psutil.Process(each.shell.pid).children() if each.shell.poll() is None else []
        for process in left:
            process.kill()
        each.shell.kill()
        each.shell.wait()
        os.close(each.master)


def started(terminal: Terminal) -> Gate:
    """Its job, once it waits."""
    while not psutil.Process(terminal.shell.pid).children():
        assert terminal.shell.poll() is None
    return terminal.job().settled()


@pytest.mark.parametrize(("key", "code"), [(b"\x03", 130), (b"\x1c", 131)])
def test_a_key_ends_the_wait(
    terminal: Callable[..., Terminal], frozen: str, key: bytes, code: int
) -> None:
    shell = terminal(frozen, "echo", "ran")
    started(shell)
    shell.press(key)
    shown = shell.read_until("code ")
    shown += shell.read_until(".") if "." not in shown.rpartition("code ")[2] else ""
    assert f"code {code}." in shown
    assert f"ended by signal {code - 128}" in shown
    assert "ran" not in shown


def test_it_is_stopped_by_a_key_and_continues_in_the_foreground(
    terminal: Callable[..., Terminal], frozen: str, space: Space
) -> None:
    shell = terminal(frozen, "echo", "the command ran")
    started(shell)
    shell.press(b"\x1a")
    shell.read_until("code 148.")
    space.attach("10.2.1.5/24")
    assert "the command ran\r\n" in shell.read_until("then 0.")


def test_the_key_stops_the_command_alike_without_us(terminal: Callable[..., Terminal]) -> None:
    shell = terminal("cat")
    shell.press(b"line\n")
    shell.read_until("line\r\nline\r\n")
    shell.press(b"\x1a")
    shell.read_until("code 148.")


def test_what_comes_while_it_is_stopped_is_seen_when_it_continues(
    space: Space, frozen: str
) -> None:
    gate = space.start(frozen, "echo", "ran", env={"WEAVE_CIDR": "10.2.1.5/24"}).settled()
    gate.send(signal.SIGSTOP)
    os.waitpid(gate.pid, os.WUNTRACED)
    space.attach("10.2.1.5/24")
    assert psutil.Process(gate.pid).status() == psutil.STATUS_STOPPED
    gate.send(signal.SIGCONT)
    result = gate.finish()
    assert (result.code, result.out, result.err) == (0, "ran\n", "")


def test_a_signal_that_comes_while_it_is_stopped_ends_it_when_it_continues(
    space: Space, frozen: str
) -> None:
    gate = space.start(frozen, "echo", "ran", env={"WEAVE_CIDR": "10.2.1.5/24"}).settled()
    for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGCONT):
        gate.send(number)
    assert gate.finish().code == 143
