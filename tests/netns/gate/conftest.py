"""Fixtures: network namespaces, which need root."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.netns.gate.space import Space


@pytest.fixture
def space() -> Iterator[Space]:
    """An empty network namespace with lo up."""
    assert os.geteuid() == 0, "tests/netns need root (CAP_SYS_ADMIN) to make network namespaces"
    with Space() as made:
        yield made


@pytest.fixture
def other_space() -> Iterator[Space]:
    """A second one."""
    with Space() as made:
        yield made
