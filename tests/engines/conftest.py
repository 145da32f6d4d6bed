"""Not part of `make test`: collected only where an engine was named. And the ways to an engine."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support import proxied
from tests.support.docker_cli import DockerCli
from tests.support.engine import PrivateEngine

collect_ignore_glob = [] if os.environ.get("WFW_TEST_ENGINE") else ["test_*.py"]


@pytest.fixture(scope="module")
def plain(engine: PrivateEngine, tmp_path_factory) -> Iterator[proxied.Proxy]:
    """A proxy without any rule."""
    with proxied.proxy(tmp_path_factory.mktemp("plain") / "p", engine.url) as proxy:
        yield proxy


@pytest.fixture(params=["straight", "plain proxy", "our adapters"])
def way(request, engine, plain, gated) -> DockerCli:
    """The docker client straight at the engine, through us, and through us with our adapters."""
    ways: dict[str, DockerCli] = {"straight": engine, "plain proxy": plain, "our adapters": gated}
    return ways[request.param]
