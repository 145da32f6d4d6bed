"""Fixtures for all tests: the one private engine of a test run, and a launch on it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.engines import podman
from tests.support import engines, images, launched
from tests.support.docker_cli import DockerCli
from tests.support.engine import PrivateEngine

# Whatever runs `docker` from here on.
os.environ.update(engines.client_environment())

# Python's own, which it sets back in its children.
IGNORED_BY_PYTHON = {signal.SIGPIPE, signal.SIGXFSZ}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What an engine cannot do is skipped, and says why."""
    if engines.chosen().podman:
        for item in items:
            if why := podman.reason(item.nodeid):
                item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session", autouse=True)
def nothing_ignored() -> None:
    """What a shell, nohup or a CI runner ignores would be ignored by all that the tests start."""
    for number in signal.valid_signals() - IGNORED_BY_PYTHON:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


@pytest.fixture(scope="session")
def engine() -> Iterator[PrivateEngine]:
    """A private Docker Engine with the image `wfw-busybox` in it."""
    with PrivateEngine() as private:
        images.import_image(private, images.BUSYBOX, cmd=["sh"])
        yield private


@pytest.fixture(scope="session")
def volume_image(engine: PrivateEngine) -> str:
    """The engine's `weavewait:latest`, from `make image`."""
    launched.make_image(engine)
    return "weavewait:latest"


@pytest.fixture(scope="module")
def gated(engine: PrivateEngine, volume_image: str) -> Iterator[DockerCli]:
    """The docker client at our proxy, launched as containers; stopped after the module."""
    with launched.launched(engine, engine.root / "ours" / "docker.sock") as client:
        yield client
