"""Proxies before the private engine: one that only passes on, one with an adapter around it all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import proxied
from tests.support.docker_cli import DockerCli
from tests.support.engine import PrivateEngine

# Scenes' asserts stand in no test's file; rewritten all the same, they say what was there.
SCENES = (file.stem for file in Path(__file__).parent.glob("scenes_*.py"))
pytest.register_assert_rewrite(*(f"{__package__}.{name}" for name in SCENES))


@contextmanager
def looked_at(engine: DockerCli, folder: Path) -> Iterator[proxied.Proxy]:
    """A proxy with an adapter around each call, that changes nothing."""
    with proxied.adapter(proxied.unchanged) as adapter:
        config = (
            f'endpoints: {{"* /*": {{pre: [a], post: [a]}}}}\nadapters: {{a: "{adapter.url}"}}\n'
        )
        with proxied.proxy(folder, engine.url, config) as proxy:
            yield proxy


@pytest.fixture(scope="module")
def plain(engine: PrivateEngine, tmp_path_factory) -> Iterator[proxied.Proxy]:
    """A proxy without any rule."""
    folder = tmp_path_factory.mktemp("plain") / "p"
    with proxied.proxy(folder, engine.url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def watched(engine: PrivateEngine, tmp_path_factory) -> Iterator[proxied.Proxy]:
    """A proxy with an adapter around each call, that changes nothing."""
    with looked_at(engine, tmp_path_factory.mktemp("watched") / "p") as proxy:
        yield proxy


@pytest.fixture(scope="module")
def adapted(gated: DockerCli, tmp_path_factory) -> Iterator[proxied.Proxy]:
    """A launch, as users have it, behind a proxy with an adapter around each call."""
    with looked_at(gated, tmp_path_factory.mktemp("adapted") / "p") as proxy:
        yield proxy
