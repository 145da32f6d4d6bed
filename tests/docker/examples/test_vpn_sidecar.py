"""The VPN sidecar of docs/examples: the gate alone, from the volume container, without a launch."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from tests.docker.examples.conftest import Compose
from tests.support.docker_cli import DockerCli


@contextmanager
def following(engine: DockerCli, container: str) -> Iterator[IO[str]]:
    """What a container says on stderr, line by line as it comes."""
    words = ["docker", "logs", "--follow", container]
    running = subprocess.Popen(
        words,
        env=engine.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    try:
        yield running.stderr
    finally:
        running.terminate()
        running.communicate()


def test_vpn_sidecar(busybox, vpn, volume_container, engine):
    with Compose(engine, "vpn-sidecar") as compose:
        up = compose("up", "-d")
        assert up.code == 0, up.err
        app = compose.container("app")
        with following(engine, app) as lines:
            assert next(lines).startswith("wait-for-weave: waiting: interface tun0: not there")
            # No container sees an interface yet: the sidecar's VPN connects only now.
            engine.docker("kill", "--signal=USR1", compose.container("vpn"))
            assert next(lines).startswith("wait-for-weave: ready after")
        said = compose.logs_to_the_end("app")
        assert said.startswith("tunnel: ")
        assert "10.8.0.2/24" in said
