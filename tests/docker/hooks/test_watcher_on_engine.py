"""The watcher on a real engine: what nobody's call brings to us is attached all the same."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.support import images
from tests.support.docker_cli import DockerCli
from tests.support.engine import PrivateEngine
from tests.support.launched import WEAVEWAIT
from tests.support.notified import notifications

PATIENCE_SECONDS = 60.0
MANY = 8
SHOW = "ip -4 -o addr show dev ethwe 2>/dev/null | tr -s ' ' | cut -d ' ' -f 4"
# Not gated: these containers are made past the proxy, and show when they are attached.
WAIT = "until ip -4 -o addr show dev ethwe 2>/dev/null | grep -q inet; do usleep 10000; done"


@contextmanager
def serving(engine: PrivateEngine, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A hook server beside this engine, which has said that it listens."""
    folder.mkdir(exist_ok=True)
    notify = folder / "notify"
    with notifications(notify) as notified, (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [
                *engine.enter(),
                *WEAVEWAIT,
                *("serve", "--engine", engine.url, "--state", str(folder / "state")),
                *("--listen", f"unix://{folder}/hooks.sock"),
            ],
            env={**os.environ, "NOTIFY_SOCKET": str(notify)},
            stderr=log,
        )
        try:
            assert notified.recv(100) == b"READY=1"
            notify.unlink()
            yield process
        finally:
            kill(engine, folder)
            process.wait(PATIENCE_SECONDS)


def kill(engine: PrivateEngine, folder: Path) -> None:
    """-9 for the server of this folder: nsenter, which we know, has forked to be in there."""
    pattern = f"unix://{folder}/hooks.sock"
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if pattern in words and "serve" in words and "nsenter" not in words[0]:
            os.kill(int(path.parent.name), 9)


@pytest.fixture
def folder(engine: PrivateEngine, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The server's; containers of the test are removed before it goes."""
    folder = engine.root / f"watch-{os.urandom(4).hex()}"
    yield folder
    ids = engine.docker("ps", "-aq", "--filter", "label=watched").out.split()
    if ids:
        engine.docker("rm", "-f", *ids)
    clean = ("detach", "--all", "--state", str(folder / "state"))
    subprocess.run([*engine.enter(), *WEAVEWAIT, *clean], check=True)


def run(engine: DockerCli, *words: str, cidr: str = "10.2.1.5/24") -> str:
    """A container past any proxy; its full id."""
    options = ("run", "-d", "--label", "watched", "-e", f"WEAVE_CIDR={cidr}")
    return engine.docker(*options, *words).out.strip()


def until(holds: Callable[[], object]) -> None:
    """The test's own patience. What it waits for is another process' doing."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < deadline
        pause.wait(0.02)


def log(folder: Path) -> str:
    return (folder / "log").read_text()


def addresses(engine: DockerCli, container: str) -> list[str]:
    return engine.docker("exec", container, "sh", "-c", SHOW, check=False).out.split()


def veths(engine: PrivateEngine) -> int:
    command = [*engine.enter(), "ip", "-o", "link", "show", "type", "veth"]
    return subprocess.run(command, capture_output=True, check=True).stdout.count(b"vethwl")


def test_docker_run_past_the_proxy(engine, folder):
    with serving(engine, folder):
        container = run(engine, images.BUSYBOX, "sh", "-c", f"{WAIT}; {SHOW}")
        assert engine.docker("wait", container).out == "0\n"
        assert engine.docker("logs", container).out == "10.2.1.5/24\n"


def test_it_is_attached_while_the_engine_still_makes_it(engine, folder):
    """With all that it wants, which the engine's own work on its network leaves alone."""
    show = "ip -o addr show dev ethwe scope global | tr -s ' ' | cut -d ' ' -f 4"
    with serving(engine, folder):
        for _ in range(3):
            container = run(engine, images.BUSYBOX, "sleep", "600", cidr="10.2.1.5/24 fd00:2::5/64")
            for _ in range(2):
                until(partial(addresses, engine, container))
                found = engine.docker("exec", container, "sh", "-c", show).out.split()
                assert found == ["10.2.1.5/24", "fd00:2::5/64"]
                engine.docker("restart", "-t", "0", container)
            engine.docker("rm", "-f", container)
        assert len(re.findall(r": attached .* ahead of its start", log(folder))) > 3


def test_many_at_once_all_keep_their_ipv6(engine, folder):
    """The interface of one makes us look at all, also where the engine has not begun with the
    network: it switches IPv6 off then."""

    def run_one(number: int) -> str:
        cidr = f"10.2.1.{number}/24 fd00:2::{number}/64"
        return run(engine, images.BUSYBOX, "sleep", "600", cidr=cidr)

    show = "ip -o addr show dev ethwe scope global | tr -s ' ' | cut -d ' ' -f 4"
    with serving(engine, folder), ThreadPoolExecutor(MANY) as pool:
        containers = list(pool.map(run_one, range(1, MANY + 1)))
        until(lambda: log(folder).count(": attached ") == MANY)
        for number, container in enumerate(containers, 1):
            found = engine.docker("exec", container, "sh", "-c", show).out.split()
            assert found == [f"10.2.1.{number}/24", f"fd00:2::{number}/64"]


def test_what_ran_before_the_server(engine, folder):
    container = run(engine, images.BUSYBOX, "sh", "-c", WAIT)
    with serving(engine, folder):
        assert engine.docker("wait", container).out == "0\n"


def test_a_paused_one_is_attached_before_it_goes_on(engine, folder):
    container = run(engine, images.BUSYBOX, "sleep", "600")
    engine.docker("pause", container)
    with serving(engine, folder):
        until(lambda: "attached 10.2.1.5/24" in log(folder))
        engine.docker("unpause", container)
        assert addresses(engine, container) == ["10.2.1.5/24"]


def test_each_run_under_a_restart_policy_with_the_same_address(engine, folder):
    script = f"{WAIT}; {SHOW}; exit 1"
    with serving(engine, folder):
        container = run(
            *(engine, "--restart", "on-failure:2", images.BUSYBOX, "sh", "-c", script),
            cidr="net:10.2.7.0/24",
        )
        # `docker wait` may end with the first run.
        until(lambda: len(engine.docker("logs", container).out.split()) == 3)
    assert len(set(engine.docker("logs", container).out.split())) == 1


def test_docker_start_past_the_proxy(engine, folder):
    with serving(engine, folder):
        container = run(engine, images.BUSYBOX, "sh", "-c", f"{WAIT}; {SHOW}")
        for times in (1, 2, 3):
            engine.docker("wait", container)
            assert engine.docker("logs", container).out.split() == ["10.2.1.5/24"] * times
            engine.docker("start", container)


def test_an_address_that_is_taken_is_tried_for_again_until_it_is_free(engine, folder):
    with serving(engine, folder):
        first = run(engine, images.BUSYBOX, "sleep", "600")
        until(lambda: addresses(engine, first))
        second = run(engine, images.BUSYBOX, "sh", "-c", WAIT)
        until(lambda: f"({second[:12]}): not attached: Unable to claim" in log(folder))
        engine.docker("rm", "-f", first)
        assert engine.docker("wait", second).out == "0\n"
    assert f"gone {first[:12]}: given back: 10.2.1.5/24" in log(folder)
    # podman takes ten seconds for `rm -f`.
    retried = rf"retry \d+ of {re.escape(named(engine, second))}: attached 10\.2\.1\.5/24"
    assert re.search(retried, log(folder))


def named(engine: DockerCli, container: str) -> str:
    name = engine.docker("inspect", "-f", "{{.Name}}", container).out.strip().lstrip("/")
    return f"{name} ({container[:12]})"


def test_what_is_destroyed_gives_its_address_back_and_leaves_no_link(engine, folder):
    with serving(engine, folder):
        container = run(engine, images.BUSYBOX, "sleep", "600", cidr="net:10.2.9.4/30")
        until(lambda: addresses(engine, container))
        engine.docker("kill", container)
        until(lambda: veths(engine) == 0)
        assert "given back" not in log(folder)
        engine.docker("rm", container)
        until(lambda: f"gone {container[:12]}: given back" in log(folder))


def test_leftovers_of_a_server_that_was_killed_are_collected(engine, folder):
    with serving(engine, folder):
        kept = run(engine, images.BUSYBOX, "sleep", "600")
        gone = run(engine, images.BUSYBOX, "sleep", "600", cidr="10.2.1.6/24")
        until(lambda: addresses(engine, kept) and addresses(engine, gone))
    engine.docker("rm", "-f", gone)
    with serving(engine, folder):
        until(lambda: f"gone {gone[:12]}: given back: 10.2.1.6/24" in log(folder))
        assert addresses(engine, kept) == ["10.2.1.5/24"]
        assert f"gone {kept[:12]}" not in log(folder)


def test_what_is_none_of_ours_is_left_alone(engine, folder):
    with serving(engine, folder):
        plain = run(engine, images.BUSYBOX, "sleep", "600", cidr="none")
        host = run(engine, "--network", "host", images.BUSYBOX, "sleep", "600")
        reasons = {plain: "WEAVE_CIDR=none", host: "network mode host"}
        # When it is created, or when it starts if the answer came only then.
        lines = [
            f"event (create|start) {re.escape(named(engine, each))}: left alone: {reason}\n"
            for each, reason in reasons.items()
        ]
        until(lambda: all(re.search(line, log(folder)) for line in lines))
        assert addresses(engine, plain) == []
