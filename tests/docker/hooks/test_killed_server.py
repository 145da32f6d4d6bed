"""kill -9 of the hook server amid a stream of docker runs: what comes back sees to it all."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import psutil
import pytest

from tests.support import images
from tests.support.engine import PrivateEngine
from tests.support.engine_api import EngineApi
from tests.support.launched import ROOT, launched, weavewait
from tests.support.notified import notifications

RUNS, KILLS, AT_ONCE = 200, 50, 4
PATIENCE_SECONDS = 120.0
LABEL = "stream"
# Each one says which address it has, once it has one; one of five goes on then. Were it all of
# them, the server would have them all to look at each time that it comes back.
SAY = "ip -4 -o addr show ethwe"
QUICK, STAYS = SAY, f"{SAY}; exec sleep 600"
STAYS_EVERY = 5


class Server:
    """The hook server of a launch, brought back by us as a service manager would do it: `launch`
    itself would cost as much again each time. Killed at the block's end: the launch knows only
    its own."""

    def __init__(self, engine: PrivateEngine) -> None:
        self.engine = engine
        [self.process] = servers(engine)
        self.words = self.process.cmdline()
        self.ours: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        if self.ours is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.ours.pid, signal.SIGKILL)
            self.ours.wait()

    def kill(self) -> None:
        """KILL, which cannot be seen coming."""
        self.process.kill()
        if self.ours is not None:
            self.ours.wait()

    def start(self) -> None:
        """Back when it says that it is ready; what it said else, where it never does."""
        path, log = self.engine.root / "ready", self.engine.root / "server.log"
        with notifications(path) as notified, log.open("wb") as output:
            self.ours = subprocess.Popen(
                [*self.engine.enter(), *self.words],
                env={**os.environ, "NOTIFY_SOCKET": str(path)},
                cwd=ROOT,
                stderr=output,
                start_new_session=True,
            )
            ended = os.pidfd_open(self.ours.pid)
            word = notified.fileno()
            readable, _, _ = select.select([word, ended], [], [], PATIENCE_SECONDS)
            os.close(ended)
            assert word in readable, log.read_text()
        path.unlink()
        # nsenter has forked, to be in the pid namespace.
        [self.process] = psutil.Process(self.ours.pid).children()


def servers(engine: PrivateEngine) -> list[psutil.Process]:
    wanted = {"serve", f"--engine={engine.url}"}
    everybody = psutil.process_iter(["cmdline"])
    return [process for process in everybody if wanted <= set(process.info["cmdline"] or ())]


def until(holds: Callable[[], object], told: Callable[[], object]) -> None:
    """The test's own patience. What it waits for is another process' doing."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, told()
        threading.Event().wait(0.1)


def body(number: int) -> dict[str, Any]:
    """WAIT_FOR_SECONDS=0: it waits for as long as it takes. A network of the engine's own would
    cost more than all that is looked at here."""
    command = QUICK if number % STAYS_EVERY else STAYS
    return {
        "Image": images.BUSYBOX,
        "Cmd": ["sh", "-c", command],
        "Env": ["WEAVE_CIDR=net:10.77.0.0/16", "WAIT_FOR_SECONDS=0"],
        "Labels": {LABEL: command},
        "HostConfig": {"NetworkMode": "none"},
    }


def all_of_them(api: EngineApi) -> list[dict[str, Any]]:
    query = {"filters": json.dumps({"label": [LABEL]}), "all": "1"}
    found: list[dict[str, Any]] = api.call("GET", "/containers/json", params=query).json()
    return found


def started(api: EngineApi) -> list[dict[str, Any]]:
    """The stream's containers; not one that the engine was never told to start."""
    return [each for each in all_of_them(api) if each["State"] != "created"]


def addresses_said(api: EngineApi, containers: list[dict[str, Any]]) -> list[str]:
    """What each of them has said of its ethwe; nothing of one that still waits."""
    said = [
        api.call("GET", f"/containers/{each['Id']}/logs", params={"stdout": "1"}).text
        for each in containers
    ]
    return [text.partition(" inet ")[2].split()[0] for text in said if " inet " in text]


def is_settled(container: dict[str, Any]) -> bool:
    if container["Labels"][LABEL] == STAYS:
        return bool(container["State"] == "running")
    return bool(container["Status"].startswith("Exited (0)"))


def host_ends(engine: PrivateEngine) -> int:
    command = [*engine.enter(), "ip", "-o", "link", "show", "type", "veth"]
    return subprocess.run(command, capture_output=True, check=True).stdout.count(b"vethwl")


def run_at_last(client: EngineApi, begun: threading.Semaphore, number: int) -> list[str]:
    """`docker run -d` as a person does it: again, until it runs; what was said before."""
    told: list[str] = []
    begun.release()

    def said(answer: httpx.Response) -> bool:
        told.extend([answer.json()["message"]] if answer.is_error else [])
        return not answer.is_error

    def runs() -> bool:
        made = client.call("POST", "/containers/create", json=body(number))
        return said(made) and said(client.call("POST", f"/containers/{made.json()['Id']}/start"))

    until(runs, lambda: told)
    return told


@contextmanager
def cancelled(pool: ThreadPoolExecutor) -> Iterator[None]:
    """Where the block fails, what has not begun never does."""
    try:
        yield
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise


@contextmanager
def stream(client: EngineApi, begun: threading.Semaphore) -> Iterator[list[Future[list[str]]]]:
    with ThreadPoolExecutor(AT_ONCE) as pool, cancelled(pool):
        yield [pool.submit(run_at_last, client, begun, number) for number in range(RUNS)]


def kill_amid(server: Server, begun: threading.Semaphore, moments: random.Random) -> None:
    """All over the stream, whatever a machine's speed: each time some more have begun, and then
    at a random moment."""
    for _ in range(KILLS):
        for _ in range(RUNS // KILLS):
            assert begun.acquire(timeout=PATIENCE_SECONDS)
        threading.Event().wait(moments.uniform(0.0, 0.5))
        server.kill()
        server.start()


def remove(api: EngineApi) -> None:
    """Several at once: the engine takes its time for each."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        paths = [f"/containers/{each['Id']}" for each in all_of_them(api)]
        list(pool.map(lambda path: api.call("DELETE", path, params={"force": "1"}), paths))


# On a machine that does much else, too.
@pytest.mark.timeout(900)
def test_all_are_attached_no_address_is_given_twice_and_nothing_is_left(engine, volume_image):
    seed = int.from_bytes(os.urandom(4))
    socket = engine.root / "killed" / "d.sock"
    options = ("--host-process",)
    with (
        launched(engine, socket, *options, enter=engine.enter()) as client,
        EngineApi(socket) as proxy,
        EngineApi(engine.socket) as api,
    ):
        begun = threading.Semaphore(0)
        with Server(engine) as server, stream(proxy, begun) as results:
            kill_amid(server, begun, random.Random(seed))
        words = ("launch", "--engine", engine.url, "--listen", client.url, *options)
        assert weavewait(*words, enter=engine.enter()).code == 0
        try:
            # A client whose call fell into a gap was told so; that is no reason to be lost.
            told = [message for each in results for message in each.result()]
            assert all("weave" in message for message in told), told
            runs = started(api)
            assert len(runs) >= RUNS, f"seed {seed}"
            until(lambda: all(map(is_settled, started(api))), lambda: (seed, started(api)))
            until(lambda: len(addresses_said(api, runs)) == len(runs), lambda: (seed, runs))
            # Who has ended keeps its address until it is removed.
            assert len({*addresses_said(api, runs)}) == len(runs), f"seed {seed}"
            stay = [each for each in started(api) if each["State"] == "running"]
            assert len(stay) >= RUNS // STAYS_EVERY
            # The kernel takes its time for a namespace that nobody uses any more.
            until(lambda: host_ends(engine) == len(stay), lambda: f"seed {seed}: links are left")
        finally:
            remove(api)
        until(lambda: host_ends(engine) == 0, lambda: f"seed {seed}: links are left over")
