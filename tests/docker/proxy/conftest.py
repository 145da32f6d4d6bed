"""Proxies before the private engine: one that only passes on, one with an adapter around it all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import proxied
from tests.support.engine import PrivateEngine


@pytest.fixture(scope="module")
def plain(engine: PrivateEngine, tmp_path_factory) -> Iterator[proxied.Proxy]:
    """A proxy without any rule."""
    folder = tmp_path_factory.mktemp("plain") / "p"
    with proxied.proxy(folder, engine.url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def watched(engine: PrivateEngine, tmp_path_factory) -> Iterator[proxied.Proxy]:
    """A proxy with an adapter around each call, that changes nothing."""
    with proxied.adapter(proxied.unchanged) as adapter:
        config = (
            f'endpoints: {{"* /*": {{pre: [a], post: [a]}}}}\nadapters: {{a: "{adapter.url}"}}\n'
        )
        folder = tmp_path_factory.mktemp("watched") / "p"
        with proxied.proxy(folder, engine.url, config) as proxy:
            yield proxy
