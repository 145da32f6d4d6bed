"""What an operator may ask for, on a real engine: exec held back, all gated, addresses shown."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest

from tests.support import images
from tests.support.docker_cli import DockerCli
from tests.support.launched import launched, weavewait

OPTIONS = ("--hold-exec", "--gate-all", "--show-addresses")
PATIENCE_SECONDS = 60.0
SHOW = "ip -4 -o addr show dev ethwe | tr -s ' ' | cut -d ' ' -f 4"
# Its gate waits for an interface that only this test makes.
WAITING = ("--label", "weavewait.interface=late0", "--label", "weavewait.timeout=0")
# Up, with carrier, and only then with its address.
ADD_LATE0 = (
    "link add late0 type veth peer name late1",
    "link set late1 up",
    "link set late0 up",
    "addr add 10.9.9.9/24 dev late0",
)


@pytest.fixture(scope="module")
def gated(engine, volume_image) -> Iterator[DockerCli]:
    """The docker client at a proxy of a launch with all options."""
    with launched(engine, engine.root / "options" / "d.sock", *OPTIONS) as client:
        yield client


@pytest.fixture
def container(gated) -> Iterator[str]:
    name = f"options-{os.urandom(4).hex()}"
    yield name
    gated.docker("rm", "-f", "-v", name, check=False)


def in_its_network(engine, container: str, *words: str) -> None:
    pid = engine.docker("inspect", "-f", "{{.State.Pid}}", container).out.strip()
    enter = ["nsenter", "--target", pid, "--net"]
    subprocess.run([*engine.enter(), *enter, *words], check=True)


def until_two_gates(engine: DockerCli, container: str) -> None:
    """The container's own, and the exec's."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while engine.docker("top", container).out.count("/home/weavewait/") < 2:
        assert time.monotonic() < deadline, engine.docker("top", container).out
        threading.Event().wait(0.02)


def test_exec_is_held_until_the_container_is_ready(engine, gated, container):
    words = ("run", "-d", "--name", container, *WAITING, "-e", "WEAVE_CIDR=", images.BUSYBOX)
    gated.docker(*words, "sleep", "600")
    exec_words = ["docker", "exec", container, "sh", "-c", "cat /sys/class/net/late0/address"]
    with subprocess.Popen(
        exec_words, env=gated.environment(), stdout=subprocess.PIPE, text=True
    ) as held:
        try:
            until_two_gates(engine, container)
            for step in ADD_LATE0:
                in_its_network(engine, container, "ip", *step.split())
            out, _ = held.communicate(timeout=PATIENCE_SECONDS)
        finally:
            held.kill()
    assert held.returncode == 0
    assert out.count(":") == 5
    # It is ready now: nothing stands before the next one.
    assert gated.docker("exec", container, "sh", "-c", "echo $0", check=False).out == "sh\n"
    assert gated.docker("exec", container, "sh", "-c", "exit 7", check=False).code == 7


def test_exec_in_a_container_without_a_gate_works(gated, container):
    gated.docker(
        "run", "-d", "--name", container, "--network", "none", images.BUSYBOX, "sleep", "9"
    )
    assert gated.docker("exec", container, "echo", "hi").out == "hi\n"
    missing = gated.docker("exec", "nobody-here", "echo", "hi", check=False)
    assert missing.err.strip().endswith("No such container: nobody-here")


def test_all_are_gated_but_on_the_networks_of_others(gated):
    run = ("run", "--rm")
    shown = gated.docker(*run, images.BUSYBOX, "sh", "-c", SHOW).out
    assert shown.startswith("10.")
    assert shown.endswith("/12\n")
    for words in (("--network", "none"), ("--network", "host"), ("-e", "WEAVE_CIDR=none")):
        listed = gated.docker(*run, *words, images.BUSYBOX, "ls", "/sys/class/net").out
        assert "ethwe" not in listed.split()


def test_inspect_shows_the_address_as_one_more_network(engine, gated, container):
    words = ("-e", "WEAVE_CIDR=10.2.1.5/24", images.BUSYBOX, "sleep", "600")
    gated.docker("run", "-d", "--name", container, *words)
    template = "{{.NetworkSettings.Networks.weave.IPAddress}}"
    assert gated.docker("inspect", "-f", template, container).out == "10.2.1.5\n"
    networks = json.loads(engine.docker("inspect", container).out)[0]["NetworkSettings"]["Networks"]
    assert list(networks) == ["bridge"]


def test_a_bad_label_is_told_to_the_client(gated, container):
    label = ("--label", "weavewait.timeout=soon")
    refused = gated.docker("create", "--name", container, *label, images.BUSYBOX, check=False)
    assert refused.code != 0
    assert 'weavewait: label weavewait.timeout: "soon" is no number of seconds' in refused.err


def test_the_original_command_comes_back(engine, gated, container):
    image = images.import_image(engine, "wfw-original", entrypoint=["echo", "e"], cmd=["a b"])
    gated.docker("run", "--name", container, "-e", "WEAVE_CIDR=", image)
    gated.docker("commit", container, "wfw-committed")
    try:
        said = weavewait("unwrap", "--engine", engine.url, container)
        assert said.code == 0
        assert 'ENTRYPOINT ["echo", "e"]\nCMD ["a b"]\n' in said.out
        command = said.out.splitlines()[-1]
        assert command == f"docker run --entrypoint echo {image} e 'a b'"
        words = ("run", "--rm", "-e")
        # With a gate again, without one, with another command, and with what unwrap says.
        assert gated.docker(*words, "WEAVE_CIDR=", "wfw-committed").out == "e a b\n"
        assert gated.docker(*words, "WEAVE_CIDR=none", "wfw-committed").out == "e a b\n"
        assert gated.docker(*words, "WEAVE_CIDR=none", "wfw-committed", "new").out == "e new\n"
        assert gated.docker(*words, "WEAVE_CIDR=", "wfw-committed", "new").out == "e new\n"
        dockerfile = weavewait("unwrap", "--engine", engine.url, "wfw-committed").out
        built = dockerfile[dockerfile.index("FROM ") : dockerfile.rindex("EOF")]
        engine.docker("build", "-q", "-t", "wfw-plain", "-", stdin=built.encode())
        assert engine.docker("run", "--rm", "wfw-plain").out == "e a b\n"
    finally:
        engine.docker("image", "rm", "-f", "wfw-committed", "wfw-plain", check=False)


def test_what_is_not_gated_has_nothing_to_unwrap(engine, gated):
    said = weavewait("unwrap", "--engine", engine.url, images.BUSYBOX)
    assert (said.code, said.err) == (0, "")
    assert "does not begin with the gate" in said.out
    missing = weavewait("unwrap", "--engine", engine.url, "nobody-here")
    assert missing.code == 1
    assert missing.err == "weavewait unwrap: no container and no image nobody-here\n"
