"""The command finds what it would have found without the gate: each test runs it both ways."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.netns.gate import probe
from tests.netns.gate.space import GATE, Space

ENVIRON = {"PATH": os.environ["PATH"], "WEAVE_CIDR": "10.2.1.5/24"}
ALL = {int(number) for number in signal.valid_signals()} - {signal.SIGKILL, signal.SIGSTOP}


@pytest.fixture
def ready(space: Space) -> Space:
    space.attach("10.2.1.5/24")
    return space


def run(
    space: Space, *command: str, preexec_fn: Callable[[], object] | None = None, **more: object
) -> bytes:
    """What a command prints in this namespace."""
    done = subprocess.run(
        space.enter(*command),
        stdout=subprocess.PIPE,
        preexec_fn=preexec_fn,
        check=True,
        **{"env": ENVIRON, "stdin": subprocess.DEVNULL, **more},  # type: ignore[call-overload]
    )
    output: bytes = done.stdout
    return output


def block(*numbers: int) -> Callable[[], object]:
    return lambda: signal.pthread_sigmask(signal.SIG_BLOCK, numbers)


def ignore(*numbers: int) -> Callable[[], object]:
    return lambda: [signal.signal(number, signal.SIG_IGN) for number in numbers]


def pending() -> None:
    """SIGUSR1 and SIGTERM wait, blocked."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM])
    os.kill(os.getpid(), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGTERM)


def closed(*fds: int) -> Callable[[], object]:
    def change() -> None:
        for fd in fds:
            os.close(fd)

    return change


def other_groups() -> None:
    os.setgroups([7, 8])
    os.setgid(9)


SITUATIONS = {
    "plain": lambda: None,
    "some blocked": block(signal.SIGTERM, signal.SIGUSR1, signal.SIGRTMIN + 3),
    "all blocked": block(*ALL),
    "ours ignored": ignore(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT),
    "others ignored": ignore(signal.SIGCHLD, signal.SIGUSR2, signal.SIGTSTP, signal.SIGRTMAX),
    "pending": pending,
    "umask": lambda: os.umask(0o027),
    "session": os.setsid,
    "group": lambda: os.setpgid(0, 0),
    "nice": lambda: os.nice(5),
    "other groups": other_groups,
    "no stdin": closed(0),
    "no stderr": closed(2),
    "no stdin nor stderr": closed(0, 2),
}


def inside(space: Space, change: Callable[[], object]) -> Callable[[], None]:
    """Enter the namespace, then change the process: nsenter would come after the change."""
    namespace = os.open(f"/proc/{space.pid}/ns/net", os.O_RDONLY)

    def preexec() -> None:
        setns(namespace)
        os.close(namespace)
        change()

    return preexec


def setns(fd: int) -> None:
    import ctypes

    assert ctypes.CDLL(None).setns(fd, 0) == 0


def found(space: Space, change: Callable[[], object], *command: str, **environ: str) -> bytes:
    """What a command prints that is started in a process which `change` has changed."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        preexec_fn=inside(space, change),
        env={**ENVIRON, **environ},
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_process_is_as_it_was(ready: Space, situation: str) -> None:
    change = SITUATIONS[situation]
    command = ["cat", "/proc/self/status", "/proc/self/limits"]
    plain = found(ready, change, *command).decode()
    gated = found(ready, change, *GATE, *command).decode()
    assert probe.status(gated) == probe.status(plain)
    assert gated.partition("Limit ")[2] == plain.partition("Limit ")[2]


@pytest.mark.parametrize("situation", ["plain", "some blocked", "others ignored", "pending"])
def test_the_process_is_as_it_was_where_the_launcher_hides_variables(
    ready: Space, situation: str
) -> None:
    command, hidden = ["cat", "/proc/self/status"], {"LD_LIBRARY_PATH": "/nowhere"}
    plain = found(ready, SITUATIONS[situation], *command, **hidden).decode()
    gated = found(ready, SITUATIONS[situation], *GATE, *command, **hidden).decode()
    assert probe.status(gated) == probe.status(plain)


@pytest.mark.parametrize("situation", ["plain", "session", "group", "nice"])
def test_group_session_terminal_and_nice_are_as_they_were(ready: Space, situation: str) -> None:
    def fields(output: bytes) -> list[str]:
        pid, _, rest = output.decode().partition(" ")
        words = rest.rpartition(")")[2].split()
        # proc(5): ppid, pgrp, session, tty_nr, tpgid; priority, nice, threads; own pid as "pid".
        return ["pid" if word == pid else word for word in [*words[1:6], *words[15:18]]]

    change = SITUATIONS[situation]
    plain = found(ready, change, "cat", "/proc/self/stat")
    assert fields(found(ready, change, *GATE, "cat", "/proc/self/stat")) == fields(plain)


@pytest.mark.parametrize("situation", ["plain", "no stdin", "no stderr", "no stdin nor stderr"])
def test_the_open_files_are_those_that_were(ready: Space, situation: str) -> None:
    change = SITUATIONS[situation]
    command = ("ls", "/proc/self/fd")
    assert found(ready, change, *GATE, *command) == found(ready, change, *command)


def test_inherited_files_stay_open_where_they_were(ready: Space, tmp_path: Path) -> None:
    with (tmp_path / "given").open("w") as given:
        fd = given.fileno()
        shown = run(ready, *GATE, "readlink", f"/proc/self/fd/{fd}", pass_fds=[fd])
    assert shown.decode() == f"{tmp_path / 'given'}\n"


def test_limits_are_as_they_were(ready: Space) -> None:
    def lower() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 100))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    command = ("cat", "/proc/self/limits")
    plain = run(ready, *command, preexec_fn=lower)
    assert run(ready, *GATE, *command, preexec_fn=lower) == plain


def test_the_current_directory_is_as_it_was(ready: Space, tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("#!/bin/sh\npwd; echo $0\n")
    (tmp_path / "tool").chmod(0o755)
    assert run(ready, *GATE, "./tool", cwd=tmp_path).decode() == f"{tmp_path}\n./tool\n"


@pytest.mark.parametrize("number", [signal.SIGPIPE, signal.SIGXFSZ])
def test_what_python_ignores_is_not_ignored_for_the_command(ready: Space, number: int) -> None:
    ended = subprocess.run(
        ready.enter(*GATE, "sh", "-c", f"kill -{int(number)} $$"), env=ENVIRON, check=False
    )
    assert ended.returncode == -number


@pytest.mark.parametrize(
    "argv",
    [
        ["cat", "/proc/self/cmdline"],
        ["cat", "/proc/self/cmdline", "/dev/null", "--"],
        ["sh", "-c", "cat /proc/$$/cmdline; true", "", " ", "a b", "*", "$HOME", "\u00e9", "\n"],
    ],
)
def test_arguments_arrive_byte_for_byte(ready: Space, argv: list[str]) -> None:
    assert run(ready, *GATE, *argv) == run(ready, *argv)


def test_arguments_that_are_no_text_arrive_too(ready: Space) -> None:
    assert run(ready, *GATE, "printf", "%s|", "\udcff\udcfe", "\udc80") == b"\xff\xfe|\x80|"


ENVIRONMENTS = {
    "empty": [],
    "order": [b"Z=1", b"A=2", b"M=3"],
    "duplicates": [b"A=1", b"B=2", b"A=3"],
    "without =": [b"NOTHING", b"A=1", b"=odd", b""],
    "no text": [b"A=\xff\xfe", b"\x80=1", b"NL=a\nb"],
    "python's": [b"PYTHONHOME=/nowhere", b"PYTHONPATH=/x", b"PYTHONSTARTUP=/y", b"PYTHONUTF8=0"],
    "loader's": [b"LD_LIBRARY_PATH=", b"LD_LIBRARY_PATH_ORIG=/x"],
    "bootloader's": [b"_PYI_ARCHIVE_FILE=/x", b"_MEIPASS2=/y", b"PYINSTALLER_RESET_ENVIRONMENT=1"],
    "locale": [b"LC_ALL=", b"LANG=xx_XX", b"LC_CTYPE=C"],
    "locale C": [b"LC_CTYPE=C", b"A=1"],
    "locale POSIX, twice": [b"LC_CTYPE=POSIX", b"A=1", b"LC_CTYPE=C.UTF-8"],
    "like a launcher's": [b"_WFW_LAUNCH=mine", b"A=1"],
    "large": [b"A%d=" % n + b"x" * 1000 for n in range(500)],
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_environment_arrives_byte_for_byte(ready: Space, name: str) -> None:
    entries = [*ENVIRONMENTS[name], b"WEAVE_CIDR=10.2.1.5/24"]
    block = b"".join(entry + b"\0" for entry in entries)
    # The absolute path: without PATH the default one is taken.
    starter = (sys.executable, "-m", "tests.netns.gate.probe")
    shown = run(ready, *starter, *GATE, "cat", "/proc/self/environ", stdin=None, input=block)
    assert shown == block


def test_a_difference_would_be_seen(ready: Space) -> None:
    plain = found(ready, SITUATIONS["plain"], "cat", "/proc/self/status").decode()
    for situation in ("some blocked", "others ignored", "pending", "umask", "other groups"):
        changed = found(ready, SITUATIONS[situation], "cat", "/proc/self/status").decode()
        assert probe.status(changed) != probe.status(plain)
