"""Fixtures: a host of a test's own, and processes that stand for containers on it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from tests.netns.gate.space import Space
from waitforweave.attach import netns
from waitforweave.attach.backend import Backend, Container
from waitforweave.attach.choose import make_backend
from waitforweave.gate.weave_cidr import parse

Result = TypeVar("Result")
SUBNET = "10.32.0.0/12"


@dataclass(frozen=True)
class Host:
    """A namespace that is "the host" to the backend: it is called from a thread in there."""

    space: Space
    state: Path
    backend: Backend

    def run(self, work: Callable[[], Result]) -> Result:
        fd = os.open(f"/proc/{self.space.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return netns.run_inside(fd, work)
        finally:
            os.close(fd)

    def attach(self, container: Container, value: str = "") -> tuple[str, ...]:
        return self.run(lambda: self.backend.attach(container, parse(value)))

    def detach(self, container: Container) -> tuple[str, ...]:
        return self.run(lambda: self.backend.detach(container.id))

    def links(self) -> list[str]:
        """Names of the host's links, without lo."""
        return names(self.space)


def names(space: Space) -> list[str]:
    lines = space.ip("-o link").splitlines()
    return sorted({line.split(": ")[1].split("@")[0] for line in lines} - {"lo"})


def addresses(space: Space) -> list[str]:
    """Global addresses of ethwe, in the kernel's order."""
    lines = space.ip("-o addr show dev ethwe scope global").splitlines()
    return [line.split()[3] for line in lines]


def reaches(space: Space, address: str, seconds: int = 5) -> bool:
    """With one packet: whoever was told a wrong hardware address has to ask again first."""
    command = space.enter("busybox", "ping", "-c", "1", "-W", str(seconds), address)
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def container(space: Space, letter: str) -> Container:
    return Container(letter * 64, space.pid)


@pytest.fixture
def spaces() -> Iterator[list[Space]]:
    """Three empty namespaces: the host's, and two containers'."""
    assert os.geteuid() == 0, "tests/netns need root (CAP_SYS_ADMIN) to make network namespaces"
    with ExitStack() as stack:
        yield [stack.enter_context(Space()) for _ in range(3)]


@pytest.fixture
def host(spaces: list[Space], tmp_path: Path) -> Host:
    state = tmp_path / "state"
    return Host(spaces[0], state, make_backend("bridge", subnet=SUBNET, state=state))


@pytest.fixture
def one(spaces: list[Space]) -> Space:
    return spaces[1]


@pytest.fixture
def two(spaces: list[Space]) -> Space:
    return spaces[2]
