"""docker compose, and docker-compose 1.29: services of one file, some of them gated."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import images
from tests.support.docker_cli import DockerCli, Result
from tests.support.engines import KINDS

SHOW = "ip -4 -o addr show dev ethwe | tr -s ' ' | cut -d ' ' -f 4"
FILE = f"""\
version: "3"
services:
  gated:
    image: {images.BUSYBOX}
    environment: {{WEAVE_CIDR: 10.2.1.7/24}}
    command: ["sh", "-c", "{SHOW}; exec sleep 600"]
    stop_grace_period: 0s
  plain:
    image: {images.BUSYBOX}
    command: ["sh", "-c", "echo plain: $$(ls /sys/class/net); exec sleep 600"]
    stop_grace_period: 0s
  beside:
    image: {images.BUSYBOX}
    environment: {{WEAVE_CIDR: 10.2.1.8/24}}
    network_mode: "service:gated"
    command: ["sh", "-c", "exec sleep 600"]
    stop_grace_period: 0s
"""
Compose = Callable[..., Result]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a compose file; its name is the project's."""
    folder = tmp_path / f"wfw{os.urandom(4).hex()}"
    folder.mkdir()
    (folder / "docker-compose.yml").write_text(FILE)
    return folder


def plugin(client: DockerCli, project: Path) -> Compose:
    """`docker compose`."""
    if client.docker("compose", "version", check=False).code != 0:
        pytest.skip("the client has no compose")
    file = str(project / "docker-compose.yml")
    return lambda *words: client.docker("compose", "--file", file, *words)


def old(client: DockerCli, project: Path) -> Compose:
    """docker-compose 1.29, as bookworm has it."""
    if os.environ.get("WFW_TEST_ENGINE") == "testing-min-1.44":
        pytest.skip("docker-compose 1.29 speaks no API that this engine still takes")
    kind = KINDS["bookworm"]

    def run(*words: str) -> Result:
        file = str(project / "docker-compose.yml")
        done = subprocess.run(
            kind.in_root(["docker-compose", "--file", file, *words]),
            env=client.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return Result(done.returncode, done.stdout, done.stderr)

    return run


@pytest.mark.parametrize("make", [plugin, old], ids=["v2", "1.29"])
def test_two_services_of_which_one_is_gated(gated, project, make):
    compose = make(gated, project)
    try:
        compose("up", "-d")
        assert compose("exec", "-T", "gated", "sh", "-c", SHOW).out == "10.2.1.7/24\n"
        # Its network is the other's, in which it finds what that one waited for.
        assert compose("exec", "-T", "beside", "sh", "-c", SHOW).out == "10.2.1.7/24\n"
        assert compose("exec", "-T", "plain", "ls", "/sys/class/net").out.split() == ["eth0", "lo"]
        logs = compose("logs", "--no-color").out
        assert "10.2.1.7/24" in logs
        assert "plain: eth0 lo" in logs
        compose("restart", "-t", "0", "gated")
        assert compose("exec", "-T", "gated", "sh", "-c", SHOW).out == "10.2.1.7/24\n"
        run = ("run", "--rm", "-T", "-e", "WEAVE_CIDR=10.2.1.9/24", "gated", "sh", "-c", SHOW)
        assert compose(*run).out == "10.2.1.9/24\n"
    finally:
        compose("down", "-v", "-t", "0")
    mark = f"label=com.docker.compose.project={project.name}"
    assert gated.docker("ps", "-aq", "--filter", mark).out == ""


def test_a_service_that_is_built(gated, project):
    compose = plugin(gated, project)
    (project / "docker-compose.yml").write_text(
        'services: {built: {build: {context: ".", network: none}, network_mode: none}}'
    )
    (project / "Dockerfile").write_text(
        f'FROM {images.BUSYBOX}\nRUN echo made >/made\nCMD ["cat", "/made"]\n'
    )
    try:
        compose("build")
        assert compose("run", "--rm", "-T", "built").out == "made\n"
    finally:
        compose("down", "--rmi", "local")
