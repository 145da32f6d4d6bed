"""The proxy goes, or a client of it, while the real engine still has something to say."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support import images
from tests.support.docker_cli import DockerCli
from tests.support.engine import PrivateEngine
from tests.support.proxied import proxy

IMAGE = images.BUSYBOX
SECONDS = 30.0


@pytest.fixture
def quiet(engine: PrivateEngine) -> Iterator[str]:
    """A container that says "ready" and nothing more."""
    script = "echo ready; exec sleep 1000"
    container = engine.docker("run", "-d", "--net=none", IMAGE, "sh", "-c", script).out.strip()
    yield container
    engine.docker("rm", "-f", container)


@contextmanager
def following(client: DockerCli, container: str) -> Iterator[subprocess.Popen[bytes]]:
    """`docker logs -f` that waits for more."""
    with subprocess.Popen(
        ["docker", "logs", "-f", container], env=client.environment(), stdout=subprocess.PIPE
    ) as logs:
        try:
            assert logs.stdout is not None
            assert logs.stdout.readline() == b"ready\n"
            yield logs
        finally:
            logs.kill()


def test_term_ends_the_proxy_with_exit_code_0_also_while_logs_are_followed(engine, quiet, tmp_path):
    with proxy(tmp_path / "p", engine.url) as client, following(client, quiet) as logs:
        assert client.stop() == 0
        assert not client.socket.exists()
        assert logs.communicate(timeout=SECONDS)[0] == b""
        # All that it said: no traceback, no task that was lost.
        assert client.log() == f"weavewait proxy: listening on {client.url}\n"


def test_the_proxys_end_leaves_containers_and_engine_alone(engine, quiet, tmp_path):
    with proxy(tmp_path / "p", engine.url) as client, following(client, quiet):
        assert client.stop() == 0
    assert engine.docker("inspect", "-f", "{{.State.Running}}", quiet).out == "true\n"


def test_a_proxy_that_was_killed_is_followed_by_the_next_at_its_place(engine, quiet, tmp_path):
    with proxy(tmp_path / "p", engine.url) as client, following(client, quiet):
        client.process.kill()
        client.process.wait(SECONDS)
        stale = client.socket.rename(tmp_path / "stale.sock")
        with pytest.raises(ConnectionRefusedError), socket.socket(socket.AF_UNIX) as nobody:
            nobody.connect(str(stale))
    (tmp_path / "q").mkdir()
    stale.rename(tmp_path / "q" / "docker.sock")
    with proxy(tmp_path / "q", engine.url) as client:
        assert quiet in client.docker("ps", "-q", "--no-trunc").out
