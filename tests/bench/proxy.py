"""The proxy beside HAProxy, both in front of the same socket: small calls, bulk, many streams.

.venv/bin/python -m tests.bench.proxy
"""

from __future__ import annotations

import math
import resource
import selectors
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import cycle
from pathlib import Path

from tests.bench import stand_in
from tests.bench.haproxy import haproxy
from tests.bench.table import Row, medians, show
from tests.bench.waiting import activity, number
from tests.support import images
from tests.support.docker_cli import DockerCli
from tests.support.engine import PrivateEngine
from tests.support.proxied import proxy

PING = b"GET /_ping HTTP/1.1\r\nHost: docker\r\nUser-Agent: Docker-Client/20.10\r\n\r\n"
OTHER_PING = PING.replace(b"20.10", b"26.10")
PINGS, CLIENTS, ROUNDS = 300, 16, 15
ROUNDS_OF_BULK = 3
STUCK_SECONDS = 120
STREAMS = 500
IDLE_SECONDS = 10
EVENTS = b"GET /events HTTP/1.1\r\nHost: docker\r\n\r\n"
LOGS = b"GET /containers/quiet/logs?follow=1&stdout=1 HTTP/1.1\r\nHost: docker\r\n\r\n"


class Ways:
    """The sockets that lead to one upstream, and the pids of those in between."""

    def __init__(self, stack: ExitStack, folder: Path, upstream: Path) -> None:
        beside, self.haproxy_pid = stack.enter_context(haproxy(folder / "haproxy", upstream))
        ours = stack.enter_context(proxy(folder / "ours", f"unix://{upstream}"))
        self.ours_pid = ours.process.pid
        self.paths = {"straight": upstream, "HAProxy": beside, "ours": ours.socket}

    def measured(self, rounds: int, measure: Callable[[Path], float]) -> dict[str, float]:
        """The medians of each way, in turns."""
        kinds = {name: partial(measure, path) for name, path in self.paths.items()}
        return medians(rounds, kinds)

    def rows(self, what: str, found: Mapping[str, float], goal: str) -> list[Row]:
        """Ours beside HAProxy's; the way without either for the reader."""
        return [
            Row(f"{what}: straight", found["straight"]),
            Row(f"{what}: HAProxy", found["HAProxy"]),
            Row(f"{what}: ours", found["ours"], found["HAProxy"], goal),
        ]


def rows() -> list[Row]:
    """A private engine, and an upstream that does nothing but send and receive."""
    with ExitStack() as stack:
        engine = stack.enter_context(PrivateEngine())
        ways = Ways(stack, engine.root, engine.socket)
        return [*pings(ways), *engine_bulk(engine, ways), *bare_bulk(), *streams(engine, ways)]


def pings(ways: Ways) -> list[Row]:
    """`GET /_ping` on connections that stay: one call after the other, and many at once; also
    where none is the same as the one before it."""
    many = f"by {CLIENTS} at once, each"
    in_turns = partial(at_once, calls=(OTHER_PING, PING))
    return [
        *ways.rows("GET /_ping, p50", ways.measured(ROUNDS, one_by_one), "<= 2"),
        *ways.rows(f"the same {many}", ways.measured(ROUNDS, at_once), "<= 2"),
        *ways.rows(f"two kinds in turns {many}", ways.measured(ROUNDS, in_turns), ""),
    ]


def one_by_one(path: Path) -> float:
    """The median of one client's calls in milliseconds."""
    with stand_in.connected(path) as peer:
        return statistics.median([ping(peer) for _ in range(PINGS)])


def ping(peer: socket.socket) -> float:
    begun = time.perf_counter()
    peer.sendall(PING)
    answer = peer.recv(65536)
    while not answer.endswith(b"\r\n\r\nOK"):
        answer += peer.recv(65536)
    return 1000 * (time.perf_counter() - begun)


def at_once(path: Path, calls: Sequence[bytes] = (PING,)) -> float:
    """Milliseconds a call, where each of many clients asks anew as soon as it has its answer."""
    with ExitStack() as stack, selectors.EpollSelector() as selector:
        peers = [stack.enter_context(stand_in.connected(path)) for _ in range(CLIENTS)]
        for peer in peers:
            ping(peer)
            selector.register(peer, selectors.EVENT_READ, (peer, cycle(calls)))
        wanted, answered = PINGS * 4, 0
        begun = time.perf_counter()
        for peer in peers:
            peer.sendall(calls[-1])
        while answered < wanted:
            for key, _ in selector.select():
                peer, following = key.data
                if peer.recv(65536).endswith(b"\r\n\r\nOK"):
                    answered += 1
                    peer.sendall(next(following))
        return 1000 * (time.perf_counter() - begun) / wanted


def engine_bulk(engine: DockerCli, ways: Ways) -> list[Row]:
    """docker's own save and load of an image of 1 GiB."""
    images.import_image(engine, images.BUSYBOX, cmd=["sh"])
    dd = "dd if=/dev/zero of=/data bs=1M count=1024"
    engine.docker("run", "--name", "bulk", images.BUSYBOX, *dd.split())
    engine.docker("commit", "bulk", "bulk")
    with tempfile.TemporaryDirectory() as folder:
        tar = f"{folder}/bulk.tar"
        engine.docker("save", "-o", tar, "bulk")
        return [
            *ways.rows("docker save of 1 GiB", ways.measured(ROUNDS_OF_BULK, save), "<= 1.11"),
            *ways.rows(
                "docker load of 1 GiB",
                ways.measured(ROUNDS_OF_BULK, lambda path: load(path, tar)),
                "<= 1.33",
            ),
        ]


def save(path: Path) -> float:
    """Into nothing: `docker save -o` would measure the disk."""
    return milliseconds(path, "save", "bulk")


def load(path: Path, tar: str) -> float:
    return milliseconds(path, "load", "-i", tar)


def milliseconds(path: Path, *words: str) -> float:
    """Without an end where none comes: HAProxy 2.6 now and then stops in the middle of a load, for
    ever (both of its sockets idle, bytes to read on the client's). The median leaves that out."""
    environment = DockerCli(f"unix://{path}").environment()
    command = ["docker", *words]
    begun = time.perf_counter()
    try:
        subprocess.run(
            command, env=environment, stdout=subprocess.DEVNULL, check=True, timeout=STUCK_SECONDS
        )
    except subprocess.TimeoutExpired:
        return math.inf
    return 1000 * (time.perf_counter() - begun)


def bare_bulk() -> list[Row]:
    """The same bytes where neither end does anything with them, and what memory that took."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream = folder / "upstream.sock"
        stack.enter_context(stand_in.stand_in(upstream))
        ways = Ways(stack, folder, upstream)
        before = memory(ways.ours_pid, "VmRSS:")
        found = [
            *ways.rows("1 GiB out", ways.measured(ROUNDS_OF_BULK, timed(stand_in.save)), "<= 1.11"),
            *ways.rows("1 GiB in", ways.measured(ROUNDS_OF_BULK, timed(stand_in.load)), "<= 1.33"),
        ]
        most = memory(ways.ours_pid, "VmHWM:")
        return [*found, Row("our memory: most, over before", most, before, "< 10 MB more", "MB")]


def timed(call: Callable[[Path], None]) -> Callable[[Path], float]:
    def run(path: Path) -> float:
        begun = time.perf_counter()
        call(path)
        return 1000 * (time.perf_counter() - begun)

    return run


def memory(pid: int, name: str) -> float:
    """A figure of /proc/PID/status, in MB."""
    return 1.024 * number(Path(f"/proc/{pid}/status").read_text(), name) / 1000


def streams(engine: DockerCli, ways: Ways) -> list[Row]:
    """Half of them events, half logs -f of a container that says nothing more."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    engine.docker("run", "-d", "--name", "quiet", images.BUSYBOX, "sleep", "600")
    calls = [EVENTS, LOGS]
    found = []
    idle = {"HAProxy": ways.haproxy_pid, "ours": ways.ours_pid}
    for name, pid in idle.items():
        before = memory(pid, "VmRSS:")
        with ExitStack() as stack:
            for each in range(STREAMS):
                peer = stack.enter_context(stand_in.connected(ways.paths[name]))
                peer.sendall(calls[each % 2])
                stand_in.head(peer)
            each_kb = 1000 * (memory(pid, "VmRSS:") - before) / STREAMS
            threading.Event().wait(1)
            begun = activity(pid)
            threading.Event().wait(IDLE_SECONDS)
            ended = activity(pid)
        goals = ("<= 50", "about 0", "about 0") if name == "ours" else ("", "", "")
        what = f"{STREAMS} quiet streams, {name}"
        found += [
            Row(f"{what}: memory of each", each_kb, None, goals[0], "kB"),
            Row(f"{what}: CPU in {IDLE_SECONDS} s", (ended[1] - begun[1]) / 1e6, None, goals[1]),
            Row(f"{what}: switches", ended[0] - begun[0], None, goals[2], ""),
        ]
    engine.docker("rm", "-f", "quiet")
    return found


if __name__ == "__main__":
    print(show(rows()))
