"""weavewait status: kept current on a terminal, and asked through the engine."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support import images
from tests.support.docker_cli import DockerCli, Result
from tests.support.launched import ROOT, WEAVEWAIT, weavewait

PATIENCE_SECONDS = 60.0


class Screen:
    """A terminal on which a command writes."""

    def __init__(self, terminal: int, process: subprocess.Popen[bytes]) -> None:
        self.terminal = terminal
        self.process = process
        self.shown = b""

    def until(self, text: bytes) -> None:
        """It shows this, after all that was waited for before."""
        while text not in self.shown:
            readable, _, _ = select.select([self.terminal], [], [], PATIENCE_SECONDS)
            assert readable, self.shown
            self.shown += os.read(self.terminal, 65536)
        self.shown = self.shown.partition(text)[2]

    def interrupted(self) -> int:
        """Its exit code after Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE_SECONDS)


@contextmanager
def watching(*words: str) -> Iterator[Screen]:
    ours, its = os.openpty()
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "150", "LINES": "40"}
    command = [*WEAVEWAIT, "status", "--watch", *words]
    with subprocess.Popen(command, stdout=its, stderr=its, cwd=ROOT, env=environ) as process:
        os.close(its)
        try:
            yield Screen(ours, process)
        finally:
            process.kill()
            os.close(ours)


@pytest.fixture
def start(gated: DockerCli) -> Iterator[object]:
    """Starts a gated container of this name; all go again."""
    names: list[str] = []

    def run(name: str) -> None:
        names.append(name)
        words = ("--name", name, "-e", "WEAVE_CIDR=", images.BUSYBOX, "sleep", "99")
        gated.docker("run", "-d", *words)

    yield run
    gated.docker("rm", "-f", *names)


def test_watch_shows_what_comes_and_ends_by_ctrl_c(engine, start):
    start("first")
    with watching("--engine", engine.url) as screen:
        screen.until(b"weavewait-hooks   running")
        screen.until(b"first  ready (took ")
        start("second")
        screen.until(b"second  ready (took ")
        # As it found it: the cursor is back, and no screen of its own any more.
        assert screen.interrupted() == 0
        screen.until(b"\x1b[?25h")
        screen.until(b"\x1b[?1049l")


def inside(engine: DockerCli, image: str, *words: str) -> Result:
    """`weavewait status` in a container, to which the engine's socket is all that there is."""
    mount = f"{engine.url.removeprefix('unix://')}:/engine.sock"
    options = ("status", "--engine", "unix:///engine.sock", *words)
    return engine.docker("run", "--rm", "-v", mount, image, *options, check=False)


def test_who_reaches_nothing_but_the_engine_is_answered_through_it(engine, start, volume_image):
    start("asked")
    through = inside(engine, volume_image, "--json")
    assert through.code == 0, through
    beside = weavewait("status", "--engine", engine.url, "--json")
    assert json.loads(through.out) == json.loads(beside.out)
    assert json.loads(through.out)["containers"][0]["name"] == "asked"


def test_a_server_that_cannot_be_asked_is_told_and_no_traceback(engine, gated, volume_image):
    engine.docker("pause", "weavewait-hooks")
    try:
        asked = inside(engine, volume_image)
    finally:
        engine.docker("unpause", "weavewait-hooks")
    assert asked.code == 1
    parts, told = asked.out.splitlines()[:3], asked.out.splitlines()[3:]
    assert [line.split()[0] for line in parts] == [
        "weavewait",
        "weavewait-hooks",
        "weavewait-proxy",
    ]
    assert len(told) == 1
    assert told[0].startswith("no answer from the hook server: ")
    assert "is paused" in told[0]
