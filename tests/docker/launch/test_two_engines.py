"""Two engines on one host, each with a launch: containers of both are in one network, and what one
does, restarts or stops leaves the other's alone. docs/launch.md."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import images
from tests.support.docker_cli import DockerCli
from tests.support.documented import block_under, run_in
from tests.support.engine import PrivateEngine
from tests.support.launched import ROOT, weavewait
from tests.support.traces import traces
from waitforweave.attach.ipam import Ipam
from waitforweave.attach.links import Mark
from waitforweave.attach.pair import host_end_name
from waitforweave.launch.containers import HOOKS_CONTAINER, STATE_VOLUME

PAGE = (ROOT / "docs" / "launch.md").read_text()
PODMAN = "unix:///run/podman/podman.sock"
PATIENCE_SECONDS = 60.0
# A bridge of its own; the first one's rules are there for both. Nor does it keep what containers
# say, if they do not ask for that.
SECOND = ("--bridge=two0", "--iptables=false", "--log-driver=none")
MAKE_BRIDGE = "ip link add two0 type bridge && ip addr add 172.30.0.1/16 dev two0"


@pytest.fixture(scope="module")
def other(engine: PrivateEngine, volume_image: str) -> Iterator[PrivateEngine]:
    """A second engine in the first one's network namespace: as within a container that has the
    host's network, with its own files and processes."""
    subprocess.run([*engine.enter(), "sh", "-c", MAKE_BRIDGE], check=True)
    with PrivateEngine(dockerd_args=SECOND, beside=engine) as second:
        save = ["docker", "-H", engine.url, "save", volume_image, images.BUSYBOX]
        with subprocess.Popen(save, stdout=subprocess.PIPE) as saved:
            subprocess.run(
                ["docker", "-H", second.url, "load", "-q"], stdin=saved.stdout, check=True
            )
        yield second
    subprocess.run([*engine.enter(), "ip", "link", "del", "two0"], check=True)


@contextmanager
def launched(engine: PrivateEngine, line: str) -> Iterator[DockerCli]:
    """By this line, typed where the engine is; stopped at the end."""
    begun = run_in(engine, line)
    assert begun.returncode == 0, begun.stderr
    listen = begun.stdout.partition("DOCKER_HOST=unix://")[2].strip()
    try:
        yield DockerCli(f"unix:///proc/{engine.init.pid}/root{listen}")
    finally:
        ended = weavewait("stop", "--engine", engine_of(line), enter=engine.enter())
        assert ended.code == 0, ended.err


def engine_of(line: str) -> str:
    return (
        line.split("--engine ")[1].split(maxsplit=1)[0]
        if "--engine" in line
        else "unix:///var/run/docker.sock"
    )


def run(client: DockerCli, name: str) -> str:
    """A gated container that goes on running; its address."""
    client.docker("run", "-d", "--name", name, "-e", "WEAVE_CIDR=", images.BUSYBOX, "sleep", "999")
    return address(client, name)


def address(client: DockerCli, name: str) -> str:
    shown = client.docker("exec", name, "ip", "-4", "-o", "addr", "show", "ethwe").out
    return shown.split()[3]


def reaches(client: DockerCli, name: str, cidr: str, *, seconds: int = 5) -> bool:
    ping = ("ping", "-c", "1", "-W", str(seconds), cidr.split("/", maxsplit=1)[0])
    return client.docker("exec", name, *ping, check=False).code == 0


def books(engine: PrivateEngine) -> Ipam:
    volume = engine.docker("volume", "inspect", "-f", "{{.Mountpoint}}", STATE_VOLUME).out
    return Ipam(Path(volume.strip()), "")


def held(engine: PrivateEngine) -> set[str]:
    return {cidr for cidrs in books(engine).holders().values() for cidr in cidrs}


def collects_again(engine: PrivateEngine, begin: Callable[[], object]) -> None:
    """Its server begins anew, and has looked for leftovers: one of its own is gone."""
    name, mark = host_end_name("d" * 64), Mark("d" * 64, books(engine).owner())
    link = [*engine.enter(), "ip", "link"]
    subprocess.run([*link, "add", name, "type", "veth", "peer", "name", "far"], check=True)
    subprocess.run([*link, "set", name, "alias", str(mark)], check=True)
    begin()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while subprocess.run([*link, "show", name], capture_output=True, check=False).returncode == 0:
        assert time.monotonic() < deadline


def test_neither_touches_what_is_the_others(engine, other):
    before = traces(engine)
    line, second_line = (
        block_under(PAGE, "Two engines on a host").replace(PODMAN, other.url).splitlines()
    )
    with launched(engine, line) as one:
        first, kept = run(one, "first"), run(one, "kept")
        one.docker("stop", "-t", "0", "kept")
        with launched(other, second_line) as two:
            second = run(two, "second")
            assert len({first, kept, second}) == 3
            assert reaches(one, "first", second)
            again = ("run", "--rm", "-e", f"WEAVE_CIDR={first}", images.BUSYBOX, "true")
            assert f"address {first} already in use by " in two.docker(*again, check=False).err
            collects_again(engine, lambda: engine.docker("restart", HOOKS_CONTAINER))
            collects_again(other, lambda: run_in(other, f"{second_line} --replace"))
            assert (held(engine), held(other)) == ({first, kept}, {second})
            assert reaches(two, "second", first)
            found = weavewait("doctor", "--engine", other.url, enter=other.enter())
            assert "leftovers   none of a crash" in found.out, found.out
        assert not reaches(one, "first", second, seconds=1)
        one.docker("start", "kept")
        assert address(one, "kept") == kept
        assert reaches(one, "first", kept)
        one.docker("rm", "-f", "-v", "first", "kept")
    other.docker("rm", "-f", "-v", "second")
    assert traces(engine) == before
