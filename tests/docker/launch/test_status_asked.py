"""weavewait status: kept current on a terminal, and asked through the engine."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

import pytest

from tests.support import images
from tests.support.docker_cli import DockerCli, Result
from tests.support.launched import WEAVEWAIT, weavewait
from tests.support.screen import on_screen


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
    with on_screen([*WEAVEWAIT, "status", "--watch", "--engine", engine.url]) as screen:
        screen.until(b"weavewait-hooks   running")
        screen.until(b"first  ready (took ")
        start("second")
        screen.until(b"second  ready (took ")
        screen.process.send_signal(signal.SIGINT)
        assert screen.ended() == 0
        # As it found it: the cursor is back, and no screen of its own any more.
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
