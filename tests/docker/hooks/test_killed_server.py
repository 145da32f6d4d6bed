"""kill -9 of the hook server amid a stream of docker runs: what comes back sees to it all."""

from __future__ import annotations

import json
import os
import random
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil

from tests.support import images
from tests.support.docker_cli import DockerCli
from tests.support.engine import PrivateEngine
from tests.support.launched import launched, weavewait

RUNS = 40
KILLS = 10
PATIENCE_SECONDS = 120.0
LABEL = "stream"
RUN = ("run", "-d", "--label", LABEL, "-e", "WEAVE_CIDR=net:10.77.0.0/24", "-e")


def hook_server(engine: PrivateEngine) -> psutil.Process | None:
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or ()
        if {"serve", f"--engine={engine.url}"} <= set(words):
            return process
    return None


def until(holds: Callable[[], object], told: Callable[[], object]) -> None:
    """The test's own patience. What it waits for is another process' doing."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, told()
        threading.Event().wait(0.1)


def ids(engine: DockerCli, *words: str) -> set[str]:
    found = engine.docker("ps", "-q", "--no-trunc", "--filter", f"label={LABEL}", *words)
    return set(found.out.split())


def rows(engine: PrivateEngine) -> list[dict[str, Any]]:
    said = weavewait("status", "--engine", engine.url, "--json", enter=engine.enter())
    found: list[dict[str, Any]] = json.loads(said.out)["containers"]
    return found


def host_ends(engine: PrivateEngine) -> int:
    command = [*engine.enter(), "ip", "-o", "link", "show", "type", "veth"]
    return subprocess.run(command, capture_output=True, check=True).stdout.count(b"vethwl")


def kill_and_launch(engine: PrivateEngine, words: tuple[str, ...], seed: int) -> None:
    """At random moments, until the stream has had them all."""
    moments = random.Random(seed)
    for _ in range(KILLS):
        threading.Event().wait(moments.uniform(0.0, 0.5))
        server = hook_server(engine)
        assert server is not None
        server.kill()
        again = weavewait(*words, enter=engine.enter())
        assert again.code == 0, again.err


def run_at_last(client: DockerCli, words: tuple[str, ...]) -> list[str]:
    """As a person does it: again, until it runs; what was said before."""
    told: list[str] = []

    def runs() -> bool:
        result = client.docker(*words, check=False)
        told.extend([result.err] if result.code else [])
        return not result.code

    until(runs, lambda: told)
    return told


def test_all_are_attached_no_address_is_given_twice_and_nothing_is_left(engine, volume_image):
    seed = int.from_bytes(os.urandom(4))
    socket = engine.root / "killed" / "d.sock"
    options = ("--host-process",)
    words = ("launch", "--engine", engine.url, "--listen", f"unix://{socket}", *options)
    with launched(engine, socket, *options, enter=engine.enter()) as client:
        with ThreadPoolExecutor(3) as pool:
            # WAIT_FOR_SECONDS=0: it waits for as long as it takes.
            run = (*RUN, "WAIT_FOR_SECONDS=0", images.BUSYBOX, "sleep", "600")
            stream = [pool.submit(run_at_last, client, run) for _ in range(RUNS)]
            kill_and_launch(engine, words, seed)
            results = [each.result() for each in stream]
        try:
            running = ids(engine)
            # A client whose call fell into a gap was told so; that is no reason to be lost.
            told = [err for each in results for err in each]
            assert len(running) >= RUNS, f"seed {seed}"
            assert all("weave" in err for err in told), told

            def all_ready() -> bool:
                ready = {row["id"] for row in rows(engine) if row["state"] == "ready"}
                return running <= ready

            until(all_ready, lambda: (seed, rows(engine)))
            given = [row["addresses"] for row in rows(engine) if row["id"] in running]
            assert len({str(each) for each in given}) == len(running), f"seed {seed}"
            assert all(len(each) == 1 for each in given), f"seed {seed}"
            assert host_ends(engine) == len(running)
        finally:
            engine.docker("rm", "-f", *ids(engine, "-a"))
        until(lambda: host_ends(engine) == 0, lambda: f"seed {seed}: links are left over")
