"""What somebody takes away while we run, the volume container or the bridge, comes back."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support import images
from tests.support.docker_cli import DockerCli
from tests.support.engine import PrivateEngine

LABEL = "lost"
RUN = ("run", "-d", "--label", LABEL, "-e")
SHOW = ("ip", "-4", "-o", "addr", "show", "dev", "ethwe")


@pytest.fixture(autouse=True)
def cleared(engine: PrivateEngine) -> Iterator[None]:
    """Containers of the test are removed at its end."""
    yield
    ids = engine.docker("ps", "-aq", "--filter", f"label={LABEL}").out.split()
    if ids:
        engine.docker("rm", "-f", *ids)


def sleeping(client: DockerCli, cidr: str) -> str:
    """A gated container that goes on; its id."""
    return client.docker(*RUN, f"WEAVE_CIDR={cidr}", images.BUSYBOX, "sleep", "600").out.strip()


def shown(client: DockerCli, cidr: str) -> str:
    """What a gated container sees of its interface, in its first moment."""
    run = ("run", "--rm", "--label", LABEL, "-e", f"WEAVE_CIDR={cidr}", images.BUSYBOX)
    return client.docker(*run, *SHOW).out


def reaches(engine: DockerCli, container: str, address: str) -> bool:
    ping = ("ping", "-c", "1", "-W", "2", address)
    return engine.docker("exec", container, *ping, check=False).code == 0


@pytest.mark.parametrize("words", [("container", "prune", "-f"), ("rm", "weavewait")])
@pytest.mark.parametrize("used", [True, False])
def test_the_volume_container_pruned(engine, gated, words, used):
    """Its volume stays where a gated container uses it; the new one has one of its own."""
    kept = sleeping(gated, "10.2.1.5/24") if used else None
    engine.docker(*words)
    assert engine.docker("container", "inspect", "weavewait", check=False).code != 0
    assert " 10.2.1.6/24 " in shown(gated, "10.2.1.6/24")
    assert engine.docker("container", "inspect", "weavewait").code == 0
    if kept is not None:
        gated.docker("restart", "-t", "0", kept)
        assert " 10.2.1.5/24 " in engine.docker("exec", kept, *SHOW).out


def test_the_volume_container_made_and_not_started(engine, gated, volume_image):
    """As by who was killed in between: podman fills the volume when a container starts first."""
    engine.docker("rm", "-f", "-v", "weavewait")
    engine.docker("create", "--name", "weavewait", volume_image)
    assert " 10.2.1.6/24 " in shown(gated, "10.2.1.6/24")


def test_many_bring_the_volume_container_back_at_once(engine, gated):
    engine.docker("rm", "-f", "-v", "weavewait")
    cidrs = [f"10.2.1.{number}/24" for number in range(6, 10)]
    with ThreadPoolExecutor(len(cidrs)) as pool:
        seen = list(pool.map(lambda cidr: shown(gated, cidr), cidrs))
    assert [f" {cidr} " in said for cidr, said in zip(cidrs, seen, strict=True)] == [True] * 4


def test_the_bridge_deleted(engine, gated):
    one, _ = sleeping(gated, "10.2.1.5/24"), sleeping(gated, "10.2.1.6/24")
    assert reaches(engine, one, "10.2.1.6")
    subprocess.run([*engine.enter(), "ip", "link", "del", "weave"], check=True)
    assert not reaches(engine, one, "10.2.1.6")
    three = sleeping(gated, "10.2.1.7/24")
    assert reaches(engine, three, "10.2.1.5")
    assert reaches(engine, one, "10.2.1.6")
