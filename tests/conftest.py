"""Fixtures for all tests: the one private engine of a test run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import images
from tests.support.engine import PrivateEngine


@pytest.fixture(scope="session")
def engine() -> Iterator[PrivateEngine]:
    """A private Docker Engine with the image `wfw-busybox` in it."""
    with PrivateEngine() as private:
        images.import_image(private, images.BUSYBOX, cmd=["sh"])
        yield private
