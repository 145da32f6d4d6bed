"""A private, throw-away Docker Engine in namespaces of its own.

`dockerd` runs in a fresh network, mount and pid namespace: its bridges, firewall rules, mounts
and processes are gone with it, also when whoever started it was killed. Nothing of the host's
own engine is touched. Needs root and util-linux (Essential in Debian).
"""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType

import psutil

from tests.support import engines
from tests.support.docker_cli import DockerCli
from tests.support.notified import notifications

START_SECONDS = 60.0
STOP_SECONDS = 30.0
INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SOCKET_BYTES = 107  # unix(7): sun_path holds 108, with a final NUL


class EngineError(Exception):
    """The engine could not be started; says the end of its log."""


class PrivateEngine(DockerCli):
    """`with PrivateEngine() as engine:`; `engine.url` is its address, `engine.root` its folder.

    `beside` is another one, whose network namespace this one shares.
    """

    def __init__(
        self,
        parent: Path | None = None,
        dockerd_args: Sequence[str] = (),
        beside: PrivateEngine | None = None,
    ) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="wfw-engine-", dir=parent))
        self.socket = self.root / "engine.sock"
        super().__init__(f"unix://{self.socket}")
        self.kind = engines.chosen()
        self._args = list(dockerd_args)
        self._beside = beside
        self._notify = self.root / "notify"
        self._outer: subprocess.Popen[bytes] | None = None
        self._cgroups = [self.root.name]
        # One that is there already is somebody else's.
        if self.kind.cgroup and not cgroups_named(self.kind.cgroup):
            self._cgroups.append(self.kind.cgroup)

    def __enter__(self) -> PrivateEngine:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def init(self) -> psutil.Process:
        """The first process of the engine's pid namespace, seen from outside."""
        assert self._outer is not None
        return psutil.Process(self._outer.pid).children()[0]

    def enter(self) -> list[str]:
        """The words that run a command in the engine's namespaces: [*engine.enter(), "ip", ...]."""
        return ["nsenter", "--target", str(self.init.pid), "--net", "--pid", "--mount", "--"]

    def restart(self) -> None:
        """TERM for dockerd, as `systemctl restart docker` sends it; back when it is ready again."""
        below = self.init.children(recursive=True)
        [dockerd] = [each for each in below if each.name() == "dockerd"]
        with notifications(self._notify) as notified:
            dockerd.terminate()
            while notified.recv(100) != b"READY=1":
                pass
        self._notify.unlink()

    def _start(self) -> None:
        if len(os.fsencode(self.socket)) > SOCKET_BYTES:
            raise EngineError(
                f"{self.socket}: more than {SOCKET_BYTES} bytes, too long for a unix socket; "
                "let TMPDIR name a folder with a shorter path"
            )
        # dockerd is not pid 1, with whom all would end: one that was told to end comes again.
        again = ["sh", "-c", 'while "$@"; do :; done', "sh"]
        dockerd = self.kind.in_root([*again, *self.kind.words(self.root, self.url, self._args)])
        # pdeathsig: whoever started us may be killed; then unshare dies, and by --kill-child
        # the pid namespace with all that is in it.
        command = ["setpriv", "--pdeathsig", "KILL"]
        if self._beside is not None:
            command += ["nsenter", "--target", str(self._beside.init.pid), "--net", "--"]
        command += ["unshare", *([] if self._beside else ["--net"]), "--mount", "--pid"]
        command += ["--fork", "--kill-child", "--mount-proc", "--"]
        # A /run of its own: what is put there goes with it, and its usual place is free for it.
        setup = 'mount -t tmpfs tmpfs /run && ip link set lo up && "$@" || exit'
        command += ["sh", "-c", setup, "sh", *dockerd]
        # A session of its own: Ctrl-C is for us, and we take the engine down in order.
        with uninterrupted() as mask:
            self._outer = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={**os.environ, "NOTIFY_SOCKET": str(self._notify)},
                start_new_session=True,
                preexec_fn=partial(signal.pthread_sigmask, signal.SIG_SETMASK, mask),  # noqa: PLW1509
            )
        self._await_ready()

    def _await_ready(self) -> None:
        """dockerd says so on stderr when it listens; its end before that is an error."""
        assert self._outer is not None
        assert self._outer.stderr is not None
        log = b""
        log_fd = self._outer.stderr.fileno()
        deadline = time.monotonic() + START_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(log_fd, selectors.EVENT_READ)
            while self.kind.ready_mark not in log:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise EngineError(
                        f"dockerd is not ready after {START_SECONDS:.0f} s:\n{tail(log)}"
                    )
                chunk = os.read(log_fd, 65536)
                if not chunk:
                    raise EngineError(f"dockerd ended:\n{tail(log)}")
                log += chunk
        # The pipe must not fill up, nor break: a child copies the rest away until dockerd ends.
        with (self.root / "log").open("wb") as rest:
            rest.write(log)
            rest.flush()
            subprocess.Popen(["cat"], stdin=self._outer.stderr, stdout=rest, start_new_session=True)
        self._outer.stderr.close()

    def log(self) -> str:
        """What dockerd has logged so far."""
        return (self.root / "log").read_text(errors="replace")

    def stop(self) -> None:
        """Take the engine and all that it made away: processes, mounts, cgroups, files."""
        outer, self._outer = self._outer, None
        if outer is not None:
            children = psutil.Process(outer.pid).children() if outer.poll() is None else []
            # By --kill-child dockerd dies with unshare, and with it, the pid namespace's first
            # process, all that ran there. An orderly end would wait 10 s for each container.
            outer.kill()
            outer.wait()
            psutil.wait_procs(children, STOP_SECONDS)
        for name in self._cgroups:
            remove_cgroups(name)
        shutil.rmtree(self.root, ignore_errors=True)


@contextmanager
def uninterrupted() -> Iterator[set[int]]:
    """Signals wait until the end of the block, lest a process is started that nobody knows of;
    gives the mask that is the process' own."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTS)
    try:
        yield mask
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def tail(log: bytes, lines: int = 15) -> str:
    return "\n".join(log.decode(errors="replace").splitlines()[-lines:])


def cgroups_named(name: str) -> list[Path]:
    """In each hierarchy. Other engines' folders may go while this looks, which os.walk forgives."""
    walk = os.walk("/sys/fs/cgroup")
    return [Path(folder, name) for folder, folders, _ in walk if name in folders]


def remove_cgroups(name: str) -> None:
    """The engine leaves its cgroup parent behind, in each hierarchy; deepest folders first."""
    for top in cgroups_named(name):
        for folder in sorted((p for p in top.rglob("*") if p.is_dir()), reverse=True):
            folder.rmdir()
        top.rmdir()
