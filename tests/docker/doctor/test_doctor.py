"""`weavewait doctor` on a real engine: healthy, then broken in each way, then mended as it says."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support import images
from tests.support.docker_cli import DockerCli
from tests.support.engine import PrivateEngine
from tests.support.launched import launched, weavewait
from waitforweave.attach.ipam import Ipam
from waitforweave.attach.links import Mark
from waitforweave.attach.pair import host_end_name
from waitforweave.doctor.probe import PREFIX
from waitforweave.launch.containers import STATE_VOLUME

PATIENCE_SECONDS = 60.0
# The host's end of a container that is no more.
LEFT = host_end_name("d" * 64)
RULE = ("-i", "weave", "-o", "weave", "-j", "ACCEPT")
NFT = """
from pyroute2.nftables.main import NFTables
with NFTables(nfgen_family=1) as nft:
    nft.table("add", name="fw")
    nft.chain("add", table="fw", name="forward", hook="forward", type="filter", policy=0)
"""
NFT_UNDO = """
from pyroute2.nftables.main import NFTables
with NFTables(nfgen_family=1) as nft:
    nft.table("del", name="fw")
"""
Checks = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def client(engine: PrivateEngine, volume_image: str) -> Iterator[DockerCli]:
    """The docker client at the proxy of a launch that the tests break and mend."""
    socket = engine.root / "doctor" / "d.sock"
    with launched(engine, socket, enter=engine.enter()) as found:
        yield found


def doctor(
    engine: PrivateEngine, docker_host: str, *more: str, before: Sequence[str] = ()
) -> Checks:
    """What it says, by name; the exit code tells whether there is a problem."""
    enter = [*engine.enter(), *before, "env", f"DOCKER_HOST={docker_host}"]
    done = weavewait("doctor", "--engine", engine.url, "--json", *more, enter=enter)
    assert not done.err
    said = json.loads(done.out)
    states = [check["state"] for check in said["checks"]]
    assert (done.code, said["good"]) == ((1, False) if "problem" in states else (0, True))
    return {check["name"]: check for check in said["checks"]}


def problems(found: Checks) -> dict[str, str]:
    return {name: each["said"] for name, each in found.items() if each["state"] == "problem"}


def on_host(engine: PrivateEngine, *words: str) -> None:
    subprocess.run([*engine.enter(), *words], check=True)


def test_nothing_launched_is_said(engine, volume_image):
    found = doctor(engine, "unix:///gone.sock")
    assert problems(found) == {
        "launch": f"nothing is launched for {engine.url}",
        "client": "DOCKER_HOST names unix:///gone.sock, where nobody answers: "
        "No such file or directory",
    }


def test_no_engine_is_said(engine, tmp_path):
    done = weavewait("doctor", "--engine", f"unix://{tmp_path}/none.sock")
    assert (done.code, done.err) == (1, "")
    assert f"problem   socket      {tmp_path}/none.sock is not there\n" in done.out


def test_processes_of_the_host_are_looked_at_too(engine, volume_image):
    socket = engine.root / "doctor-host" / "d.sock"
    with launched(engine, socket, "--host-process", enter=engine.enter()) as client:
        found = doctor(engine, client.url)
    assert problems(found) == {}
    assert found["launch"]["said"] == "hooks and proxy run, as processes of this host"
    assert {each["state"] for each in found.values()} == {"ok"}


def test_a_healthy_launch(engine, client):
    enter = [*engine.enter(), "env", f"DOCKER_HOST={client.url}"]
    done = weavewait("doctor", "--engine", engine.url, enter=enter)
    assert (done.code, done.err) == (0, ""), done.out
    names = {line.split()[1] for line in done.out.splitlines()}
    assert {line.split()[0] for line in done.out.splitlines()} == {"ok"}, done.out
    assert names >= {"engine", "socket", "launch", "volume", "hooks", "proxy", "versions"}
    assert names >= {"client", "bridge", "firewall", "forwarding", "kernel", "rights", "disk"}
    assert PREFIX not in engine.docker("ps", "-a", "--format", "{{.Names}}").out


def test_each_thing_that_is_broken_is_said_and_mended_as_it_says(engine, client):
    # The books begin with the first address.
    client.docker("run", "--rm", "-e", "WEAVE_CIDR=", images.BUSYBOX, "true")
    volume = engine.docker("volume", "inspect", "-f", "{{.Mountpoint}}", STATE_VOLUME).out
    owner = Ipam(Path(volume.strip()), "").owner()
    engine.docker("stop", "-t", "0", "weavewait-hooks")
    engine.docker("rm", "weavewait")
    on_host(engine, "ip", "link", "del", "weave")
    on_host(engine, "iptables", "-D", "FORWARD", *RULE)
    on_host(engine, "sysctl", "-qw", "net.ipv4.ip_forward=0")
    on_host(engine, "ip", "link", "add", LEFT, "type", "veth", "peer", "name", "other")
    on_host(engine, "ip", "link", "set", LEFT, "alias", str(Mark("d" * 64, owner)))
    on_host(engine, "ip", "addr", "add", "10.40.0.1/16", "dev", "docker0")
    on_host(engine, sys.executable, "-c", NFT)
    found = doctor(engine, engine.url)
    said = problems(found)
    assert set(said) == {
        *("launch", "hooks", "volume", "client", "bridge", "firewall", "forwarding", "subnet"),
        "leftovers",
    }
    assert said["launch"] == "not running: weavewait-hooks"
    assert said["hooks"].startswith("no answer from the hook server")
    assert said["volume"] == "the volume container weavewait is not there"
    assert said["client"].startswith(f"DOCKER_HOST names {engine.url}, past our proxy")
    assert said["bridge"] == "the bridge weave is not there: attached containers reach nobody"
    assert said["firewall"] == "the nftables chain inet fw forward drops what is forwarded"
    assert said["subnet"].endswith("overlaps the host's 10.40.0.0/16 of docker0")
    assert said["leftovers"].startswith(f"the link {LEFT} is of dddddddddddd")

    on_host(engine, *found["forwarding"]["todo"].split())
    on_host(engine, sys.executable, "-c", NFT_UNDO)
    on_host(engine, "ip", "addr", "del", "10.40.0.1/16", "dev", "docker0")
    again = weavewait("launch", "--engine", engine.url, "--listen", client.url)
    assert again.code == 0, again.err
    # It has given the link back, made the bridge, and opened the firewall when it listens; its look
    # at the engine is a moment later.
    deadline = time.monotonic() + PATIENCE_SECONDS
    while left := problems(doctor(engine, found["client"]["todo"].partition("=")[2])):
        assert time.monotonic() < deadline, left


def test_our_rule_alone(engine, client):
    on_host(engine, "iptables", "-D", "FORWARD", *RULE)
    found = doctor(engine, client.url)
    assert set(problems(found)) == {"firewall"}
    assert "IPv4: our rule is not in FORWARD (policy DROP" in found["firewall"]["said"]
    on_host(engine, *found["firewall"]["todo"].split(";")[0].split())
    assert problems(doctor(engine, client.url)) == {}


def test_the_proxy_has_ended(engine, client):
    engine.docker("kill", "weavewait-proxy")
    said = problems(doctor(engine, client.url))
    assert set(said) == {"launch", "proxy", "client"}
    assert said["proxy"] == f"{client.url} does not answer: Connection refused"
    again = weavewait("launch", "--engine", engine.url, "--listen", client.url)
    assert again.err.startswith("weavewait launch: started weavewait-proxy (")


def test_a_container_that_cannot_be_attached_is_named(engine, client):
    run = ("run", "-d", "--name", "taken", "-e", "WEAVE_CIDR=10.2.1.5/24", images.BUSYBOX)
    client.docker(*run, "sleep", "600")
    engine.docker(*run[:3], "vain", *run[4:], "sleep", "600")
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "attached" not in (said := problems(doctor(engine, client.url))):
            assert time.monotonic() < deadline
        assert said == {"attached": "could not be attached: vain"}
    finally:
        engine.docker("rm", "-f", "taken", "vain")


def test_what_needs_rights_is_not_seen_without_them(engine, client):
    found = doctor(engine, client.url, before=("setpriv", "--bounding-set", "-all"))
    assert problems(found) == {}
    unseen = {name for name, each in found.items() if each["state"] == "not seen"}
    assert unseen == {"firewall", "kernel"}
