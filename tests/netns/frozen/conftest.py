"""Fixtures: the frozen gate on this machine, in a namespace where ethwe is ready."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.netns.gate.space import Space
from tests.support.compiled import compiled

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def frozen() -> str:
    """dist/wait-for-weave/wait-for-weave, which `make test` has made."""
    gate = ROOT / "dist" / "wait-for-weave" / "wait-for-weave"
    assert gate.exists(), "make freeze makes it"
    return str(gate)


@pytest.fixture(scope="session")
def probe() -> str:
    """The program that prints all that a process can see of itself."""
    return str(compiled("self"))


@pytest.fixture
def space() -> Iterator[Space]:
    """An empty namespace with lo up."""
    with Space() as made:
        yield made


@pytest.fixture(scope="module")
def ready() -> Iterator[Space]:
    """A namespace with ethwe, which has 10.2.1.5/24."""
    with Space() as space:
        space.attach("10.2.1.5/24")
        yield space
