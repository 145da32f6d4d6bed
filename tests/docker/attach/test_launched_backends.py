"""Options of the network on their way through a launch to the hook server, and to the clean-up."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.netns.attach.contract.rigs import DEBIANS_PLUGINS, bridge_plugin, conflist
from tests.support import fake_weave, images
from tests.support.docker_cli import DockerCli
from tests.support.engine import PrivateEngine
from tests.support.launched import launched, weavewait


@pytest.fixture
def socket(engine: PrivateEngine, volume_image: str) -> Path:
    return engine.root / "backends" / "docker.sock"


def run(client: DockerCli, *words: str) -> str:
    flags = ["--rm", "-e", "WEAVE_CIDR=10.2.1.5/24", "--net=none"]
    return client.docker("run", *flags, images.BUSYBOX, *words).out


def test_mtu_and_route_of_a_launch_as_containers(engine, socket):
    with launched(engine, socket, "--mtu=1376", "--no-multicast-route") as client:
        assert "mtu 1376" in run(client, "ip", "link", "show", "ethwe")
        assert "224.0.0.0" not in run(client, "ip", "route")
        again = weavewait("launch", f"--engine={engine.url}", f"--listen=unix://{socket}")
        assert again.code == 1
        assert "network is --mtu=1376, --no-multicast-route, not none" in again.err


@pytest.mark.parametrize("backend", ["weave", "cni"])
def test_programs_of_the_host_are_refused_to_containers(engine, socket, backend):
    words = ["launch", f"--engine={engine.url}", f"--listen=unix://{socket}"]
    result = weavewait(*words, f"--backend={backend}")
    assert result.code == 1
    assert f"the backend {backend} cannot run in a container of the image" in result.err
    assert engine.docker("ps", "-aq").out == ""


def test_cni_with_processes_of_the_host(engine, socket, tmp_path):
    config = tmp_path / "net.conflist"
    config.write_text(json.dumps(conflist(bridge_plugin(tmp_path), {"type": "tuning"})))
    options = ["--backend=cni", f"--cni-config={config}", f"--cni-path={DEBIANS_PLUGINS}"]
    with launched(engine, socket, "--host-process", *options, enter=engine.enter()) as client:
        assert "10.2.1.5/24" in run(client, "ip", "addr", "show", "ethwe")
    # The container is gone, and nobody but stop's clean-up gave its address back.
    assert list(tmp_path.glob("host-local/wfw/10.*")) == []


def test_weave_with_processes_of_the_host(engine, socket, tmp_path, monkeypatch):
    folder = tmp_path / "weave"
    program = fake_weave.install(folder, engine.url, {}) / "weave"
    monkeypatch.setenv(fake_weave.FOLDER, str(folder))
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    with launched(
        engine, socket, "--host-process", "--backend=weave", enter=engine.enter()
    ) as client:
        # A container that Weave does not know: its words are what the client hears.
        words = ["run", "--name=wfw-unknown", "-d", "-e", "WEAVE_CIDR=10.2.1.5/24"]
        refused = client.docker(*words, images.BUSYBOX, "true", check=False)
        assert refused.code != 0
        assert "weave attach: unable to inspect container" in refused.err
        assert "(exit code 1)" in refused.err
        engine.docker("rm", "-f", "wfw-unknown")
    assert fake_weave.calls(folder)[0] == ["status"]
    assert fake_weave.claims(folder) == {}
