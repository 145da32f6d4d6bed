"""A network namespace of a test's own, and the gate in it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# WFW_TEST_GATE names another gate to test, the frozen one.
OTHER_GATE = os.environ.get("WFW_TEST_GATE")
GATE = (OTHER_GATE,) if OTHER_GATE else (sys.executable, "-I", "-m", "waitforweave.gate")
# As /proc/net/netlink shows what the gate subscribes to; the second where it waits for routes.
GROUPS, ROUTE_GROUPS = "00000111", "00000551"
EITHER = (GROUPS, ROUTE_GROUPS)
PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Result:
    """How a program ended."""

    code: int
    out: str
    err: str


class Gate:
    """A running gate, or whatever it became: the same process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.pid = process.pid

    def settled(self) -> Gate:
        """Wait until it sleeps with all events taken in: what happened so far was not enough."""
        return self._until(self._sleeps)

    def handles(self, number: int) -> Gate:
        """Wait until it has a handler for this signal."""
        return self._until(lambda: number in signal_set(self._read("status"), "SigCgt"))

    def _until(self, is_so: Callable[[], bool]) -> Gate:
        # No event says what another process does: this one is looked for.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the gate does not wait: {self.finish()}")
            threading.Event().wait(0.005)
        return self

    def _sleeps(self) -> bool:
        """Subscribed, its queue empty, and (looked at after that) asleep."""
        empty = any(queued == "0" for _, queued in self._sockets())
        state = self._read("stat").rpartition(")")[2].split()
        return empty and state[:1] == ["S"]

    def _sockets(self) -> list[tuple[str, str]]:
        """Groups and queued bytes of the gates' rtnetlink sockets in this namespace."""
        rows = [line.split() for line in self._read("net/netlink").splitlines()[1:]]
        return [(row[3], row[4]) for row in rows if row[1] == "0" and row[3] in EITHER]

    def groups(self) -> list[str]:
        """What it subscribed to, if it is the only gate of its namespace."""
        return [groups for groups, _ in self._sockets()]

    def _read(self, name: str) -> str:
        try:
            return Path(f"/proc/{self.pid}/{name}").read_text()
        except OSError:
            return ""

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    def finish(self) -> Result:
        """Its end; it has to come, and is not made."""
        try:
            out, err = self.process.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            raise AssertionError(f"does not end: {out!r} {err!r}") from None
        return Result(self.process.returncode, out.decode(), err.decode())


class Space:
    """`with Space() as space:` a fresh namespace with lo up; held by a process of ours."""

    def __enter__(self) -> Space:
        self._running: list[subprocess.Popen[bytes]] = []
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "ip link set lo up && echo ready && exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.communicate()
        self._holder.communicate()

    @property
    def pid(self) -> int:
        return self._holder.pid

    def enter(self, *command: str) -> list[str]:
        return ["nsenter", "--target", str(self.pid), "--net", "--", *command]

    def ip(self, *lines: str) -> str:
        """Run `ip LINE` for each line; what they print."""
        printed = ""
        for line in lines:
            command = self.enter("ip", *line.split())
            printed += subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        return printed

    def attach(self, *cidrs: str) -> None:
        """What our attach does, link up last: ethwe, with its peer "far" up."""
        self.ip("link add ethwe type veth peer name far", "link set far up")
        self.ip(*(f"addr add {cidr} dev ethwe" for cidr in cidrs), "link set ethwe up")

    def start(
        self,
        *command: str,
        env: Mapping[str, str] | None = None,
        preexec_fn: Callable[[], object] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> Gate:
        """Run a program in this namespace."""
        process = subprocess.Popen(
            self.enter(*command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "WAIT_FOR_SECONDS": "0", **(env or {})},
            preexec_fn=preexec_fn,  # noqa: PLW1509 - these tests have no threads
            pass_fds=pass_fds,
        )
        self._running.append(process)
        return Gate(process)

    def gate(self, *command: str, wanted: str | None = "10.2.1.5/24", **environ: str) -> Gate:
        """The gate, which waits for ever unless WAIT_FOR_SECONDS says otherwise."""
        env = environ if wanted is None else {"WEAVE_CIDR": wanted, **environ}
        return self.start(*GATE, *command, env=env)


def signal_set(status: str, field: str) -> set[int]:
    """The signals of a line such as SigBlk of /proc/PID/status."""
    words = status.split()
    bits = int(words[words.index(f"{field}:") + 1], 16) if words else 0
    return {int(n) for n in signal.valid_signals() if bits >> (n - 1) & 1}
