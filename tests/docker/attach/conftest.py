"""The fixture `machine`: a real engine's host, on which our commands are run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import images
from tests.support.docker_cli import Result
from tests.support.engine import PrivateEngine


class Machine:
    """The engine's host: our commands and others run in its namespaces."""

    def __init__(self, engine: PrivateEngine, state: Path) -> None:
        self.engine = engine
        self.state = state
        self.started: list[str] = []

    def run(self, *words: str) -> Result:
        command = [*self.engine.enter(), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return Result(done.returncode, done.stdout, done.stderr)

    def weavewait(self, command: str, *words: str, engine: str | None = None) -> Result:
        program = [sys.executable, "-m", "waitforweave.cli.main", command]
        options = [f"--engine={engine or self.engine.url}", f"--state={self.state}"]
        return self.run(*program, *options, *words)

    def attach(self, *words: str) -> str:
        """What it prints; it has to succeed."""
        result = self.weavewait("attach", *words)
        assert (result.code, result.err) == (0, "")
        return result.out.strip()

    def start(self, *flags: str) -> str:
        """A container that sleeps; its id."""
        words = ["run", "-d", "--cap-add=NET_ADMIN", *flags, images.BUSYBOX, "sleep", "1000"]
        identity = self.engine.docker(*words).out.strip()
        self.started.append(identity)
        return identity

    def inside(self, container: str, *words: str) -> Result:
        return self.engine.docker("exec", container, *words, check=False)

    def stop(self) -> None:
        if self.started:
            self.engine.docker("rm", "-f", *self.started)
        self.weavewait("detach", "--all")


@pytest.fixture
def machine(engine: PrivateEngine, tmp_path: Path) -> Iterator[Machine]:
    made = Machine(engine, tmp_path / "state")
    yield made
    made.stop()
