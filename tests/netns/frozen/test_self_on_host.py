"""All that a process can see of itself, plainly and behind the frozen gate, as whoever starts it
has set it: each situation is one that shows, and that arrives."""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import signal
import subprocess
import termios
import tty
from collections.abc import Callable

import pytest

from tests.netns.gate.space import Space
from tests.support import raw
from tests.support.self_seen import facts

LIBC = ctypes.CDLL(None, use_errno=True)
ENVIRON = {"WEAVE_CIDR": "10.2.1.5/24", "PATH": "/usr/bin:/bin"}
# include/uapi/linux/prctl.h, securebits.h, capability.h, personality.h, ioprio.h; the numbers of
# system calls that have no wrapper come from x86_64's and aarch64's tables.
PR_SET_PDEATHSIG, PR_SET_TIMERSLACK, PR_SET_SECUREBITS, PR_SET_TSC = 1, 29, 28, 26
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_SET_THP_DISABLE = 36, 38, 41
PR_CAPBSET_DROP, CAP_NET_RAW, SECBIT_NOROOT_BOTH = 24, 13, 0b11
ADDR_NO_RANDOMIZE, UNAME26 = 0x0040000, 0x0020000
IOPRIO_WHO_PROCESS, IDLE = 1, 3 << 13
SYS_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}[os.uname().machine]


def prctl(option: int, value: int) -> Callable[[], object]:
    def change() -> None:
        if LIBC.prctl(option, ctypes.c_ulong(value), 0, 0, 0):
            raise OSError(ctypes.get_errno(), f"prctl {option}")

    return change


def limit(which: int, soft: int, hard: int) -> Callable[[], object]:
    return lambda: resource.setrlimit(which, (soft, hard))


def block(*numbers: int) -> Callable[[], object]:
    return lambda: signal.pthread_sigmask(signal.SIG_BLOCK, numbers)


def block_all() -> None:
    """Those too that glibc keeps for itself: a program of another libc may block them."""
    raw.block(*raw.ALL)


def ignore(*numbers: int) -> Callable[[], object]:
    return lambda: [signal.signal(number, signal.SIG_IGN) for number in numbers]


def pending() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM, signal.SIGRTMIN])
    for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGRTMIN):
        os.kill(os.getpid(), number)


def another_user() -> None:
    os.setgroups([7, 8])
    os.setresgid(1000, 1001, 1002)
    os.setresuid(1000, 1001, 1002)


def open_files() -> None:
    """One at a number of its own, one that exec closes, one that is at its end."""
    fd = os.open("/etc/passwd", os.O_RDONLY)
    os.dup2(fd, 77)
    os.set_inheritable(77, True)
    os.lseek(fd, 0, os.SEEK_END)
    os.dup2(fd, 78, inheritable=False)


def nonblocking() -> None:
    for fd in (0, 1):
        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_NONBLOCK)


def close(*fds: int) -> Callable[[], object]:
    def change() -> None:
        for fd in fds:
            os.close(fd)

    return change


def oom_score() -> None:
    with open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
        file.write("321")


def terminal() -> None:
    """A new session with a terminal of its own, in the foreground; its other end stays open."""
    os.setsid()
    master, slave = os.openpty()
    os.set_inheritable(master, True)
    tty.setcbreak(slave)
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    os.dup2(slave, 0)
    os.set_inheritable(0, True)


# What is set, and the beginning of the key by which it must show.
SITUATIONS: dict[str, tuple[Callable[[], object], str]] = {
    "umask": (lambda: os.umask(0o027), "umask"),
    "current directory": (lambda: os.chdir("/usr"), "link.cwd"),
    "nice": (lambda: os.nice(5), "sched.nice"),
    "batch": (lambda: os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0)), "sched.policy"),
    "one cpu": (lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}), "sched.cpus"),
    "io class": (lambda: LIBC.syscall(SYS_IOPRIO_SET, IOPRIO_WHO_PROCESS, 0, IDLE), "sched.ioprio"),
    "oom score": (oom_score, "proc.oom_score_adj"),
    "limit of files": (limit(resource.RLIMIT_NOFILE, 64, 100), "limit."),
    "limit of the stack": (limit(resource.RLIMIT_STACK, 1 << 20, 1 << 22), "limit."),
    "limit of file size": (limit(resource.RLIMIT_FSIZE, 0, 0), "limit."),
    "limit of queued signals": (limit(resource.RLIMIT_SIGPENDING, 0, 0), "limit."),
    "signals blocked": (block(signal.SIGTERM, signal.SIGUSR1), "signals.blocked"),
    "all blocked": (block_all, "signals.blocked"),
    "ours ignored": (ignore(signal.SIGTERM, signal.SIGINT, signal.SIGHUP), "signals.action.15"),
    "others ignored": (ignore(signal.SIGCHLD, signal.SIGTSTP, signal.SIGRTMAX), "signals.action."),
    "SIGPIPE ignored": (ignore(signal.SIGPIPE), "signals.action.13"),
    "SIGXFSZ ignored": (ignore(signal.SIGXFSZ), "signals.action.25"),
    "signals pending": (pending, "signals.pending"),
    "a session": (os.setsid, "family.session"),
    "a group": (lambda: os.setpgid(0, 0), "family.group"),
    "a terminal": (terminal, "family.tty"),
    "another user": (another_user, "ids.uid"),
    "no capability to send raw": (prctl(PR_CAPBSET_DROP, CAP_NET_RAW), "status.CapBnd"),
    "securebits": (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT_BOTH), "prctl.securebits"),
    "no new privileges": (prctl(PR_SET_NO_NEW_PRIVS, 1), "prctl.no_new_privs"),
    "a signal when the parent ends": (prctl(PR_SET_PDEATHSIG, 12), "prctl.pdeathsig"),
    "a subreaper": (prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl.subreaper"),
    "timer slack": (prctl(PR_SET_TIMERSLACK, 77_000), "prctl.timerslack"),
    "no huge pages": (prctl(PR_SET_THP_DISABLE, 1), "prctl.thp_disable"),
    "personality": (lambda: LIBC.personality(ADDR_NO_RANDOMIZE | UNAME26), "personality"),
    "an alarm": (lambda: signal.setitimer(signal.ITIMER_REAL, 3000, 7), "timer.real"),
    "a profiling timer": (lambda: signal.setitimer(signal.ITIMER_PROF, 3000), "timer.prof"),
    "open files": (open_files, "fd.77."),
    "non-blocking": (nonblocking, "fd.0.flags"),
    "no stdin": (close(0), "fd.0."),
    "no stderr": (close(2), "fd.2."),
    "neither stdin nor stderr": (close(0, 2), "fd.0."),
}


def seen(space: Space, change: Callable[[], object], *command: str) -> dict[str, str]:
    """What a program prints that a process becomes which is in `space` and was changed."""
    namespace = os.open(f"/proc/{space.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def preexec() -> None:
        assert LIBC.setns(namespace, 0) == 0
        change()

    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            preexec_fn=preexec,
            close_fds=False,
            env=ENVIRON,
            check=True,
        )
    finally:
        os.close(namespace)
    return facts(done.stdout.decode())


@pytest.mark.parametrize("situation", SITUATIONS)
def test_it_sees_itself_as_it_would_without_us(
    ready: Space, frozen: str, probe: str, situation: str
) -> None:
    change, key = SITUATIONS[situation]
    plain = seen(ready, change, probe, "a b", "")
    assert seen(ready, change, frozen, probe, "a b", "") == plain
    # The test can fail: whoever sets it is seen to have set it.
    usual = seen(ready, lambda: None, probe, "a b", "")
    assert [k for k in {*plain, *usual} if k.startswith(key) and plain.get(k) != usual.get(k)]


@pytest.mark.parametrize("hidden", ["LD_LIBRARY_PATH", "_PYI_ARCHIVE_FILE"])
def test_the_same_where_the_launcher_brings_variables_back(
    ready: Space, frozen: str, probe: str, hidden: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENVIRON, hidden, "/nowhere")
    for change, _ in SITUATIONS.values():
        assert seen(ready, change, frozen, probe) == seen(ready, change, probe)
