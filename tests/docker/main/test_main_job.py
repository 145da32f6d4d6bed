"""The main job through the proxy with the plain docker client: gated, attached, transparent."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Callable

import pytest

from tests.support import images
from tests.support.docker_cli import DockerCli

IMAGE = images.BUSYBOX
GATE = "/home/weavewait/wait-for-weave"
ADDRESS = ("-e", "WEAVE_CIDR=10.2.1.5/24")
# On a busy machine the gate says what it waits for.
QUIET = ("-e", "WAIT_FOR_WEAVE_QUIET=yes")
# Fails where ethwe is not ready when the program starts: nothing here waits.
SHOW = "ip -4 -o addr show dev ethwe | tr -s ' ' | cut -d ' ' -f 4"


@pytest.fixture
def container(gated: DockerCli, request):
    """A name for a container, which is removed afterwards."""
    name = f"main-{os.urandom(4).hex()}"
    yield name
    gated.docker("rm", "-f", "-v", name, check=False)


def shown(gated: DockerCli, *words: str) -> list[str]:
    return gated.docker("run", "--rm", *words, IMAGE, "sh", "-c", SHOW).out.split()


def test_the_program_finds_its_address_when_it_starts(gated):
    assert shown(gated, *ADDRESS) == ["10.2.1.5/24"]


def test_several_addresses_of_both_families(gated):
    words = ("-e", "WEAVE_CIDR=10.2.1.5/24,ip:10.3.1.5/16 fd00:77::5/64")
    show = "ip -o addr show dev ethwe scope global | tr -s ' ' | cut -d ' ' -f 4"
    out = gated.docker("run", "--rm", *words, IMAGE, "sh", "-c", show).out.split()
    assert sorted(out) == ["10.2.1.5/24", "10.3.1.5/16", "fd00:77::5/64"]


def test_an_address_of_a_subnet_and_of_the_default_one(gated):
    assert shown(gated, "-e", "WEAVE_CIDR=net:10.9.8.0/24")[0].startswith("10.9.8.")
    default = shown(gated, "-e", "WEAVE_CIDR=")[0]
    assert default.startswith("10.")
    assert default.endswith("/12")


def test_the_same_address_again_once_its_holder_is_gone(gated):
    assert shown(gated, *ADDRESS) == shown(gated, *ADDRESS) == ["10.2.1.5/24"]


@pytest.mark.parametrize("code", [0, 3, 137])
def test_the_exit_code_is_the_programs(gated, code):
    words = ("run", "--rm", *ADDRESS, IMAGE, "sh", "-c", f"exit {code}")
    assert gated.docker(*words, check=False).code == code


def test_both_streams_and_stdin_reach_the_program(gated):
    script = "cat; echo err >&2"
    result = gated.docker(
        *("run", "--rm", "-i", *ADDRESS, IMAGE, "sh", "-c", script), stdin=b"in" * 50_000
    )
    assert (result.out, result.err) == ("in" * 50_000, "err\n")


def test_the_program_is_pid_1_and_has_its_arguments_and_environment(gated, engine):
    words = ("run", "--rm", "--hostname", "h", *ADDRESS, IMAGE)
    script = ("sh", "-c", 'echo $$ "$0" "$@"; env', "zero", "a b", "*", "")
    plain, ours = engine.docker(*words, *script), gated.docker(*words, *script)
    assert ours == plain


def with_terminal(client: DockerCli, *words: str) -> tuple[int, bytes]:
    """`docker WORDS` with a pseudo-terminal for its streams: exit code and what was shown."""
    ours, theirs = pty.openpty()
    try:
        command = subprocess.Popen(
            ["docker", *words], stdin=theirs, stdout=theirs, stderr=theirs, env=client.environment()
        )
        os.close(theirs)
        said = b""
        # The terminal's other side is closed (EIO) when the last process that has it ends.
        try:
            while chunk := os.read(ours, 65536):
                said += chunk
        except OSError:
            pass
        return command.wait(60), said
    finally:
        os.close(ours)


def test_with_a_terminal(gated, engine):
    words = ("run", "--rm", "-it", *ADDRESS, *QUIET, IMAGE, "sh", "-c", "tty; stty size; exit 4")
    code, said = with_terminal(gated, *words)
    assert (code, said) == with_terminal(engine, *words)
    assert code == 4
    assert b"/dev/pts/0" in said


ODD = {
    "no entrypoint": ["--entrypoint", "", IMAGE, "echo", "hi"],
    "no entrypoint, no command": ["--entrypoint", "", IMAGE],
    "an entrypoint": ["--entrypoint", "echo", IMAGE, "hi"],
    "no command": [IMAGE],
    "an image without a command": ["wfw-bare"],
    "an image without a command, with one": ["wfw-bare", "echo", "hi"],
    "an image with an entrypoint": ["wfw-entry", "hi"],
    "an image with both": ["wfw-both"],
    "an image that is not there": ["--pull", "never", "wfw-not-there"],
    "a bad option": ["--memory", "1", IMAGE, "true"],
}


@pytest.fixture(scope="module")
def odd_images(engine):
    images.import_image(engine, "wfw-bare")
    images.import_image(engine, "wfw-entry", entrypoint=["echo", "entry"])
    images.import_image(engine, "wfw-both", entrypoint=["echo", "entry"], cmd=["cmd"])


@pytest.mark.parametrize("words", ODD.values(), ids=ODD)
def test_what_is_odd_is_as_odd_as_without_us(gated, engine, odd_images, words):
    run = ("run", "--rm", *ADDRESS, *QUIET, *words)
    plain = engine.docker(*run, check=False)
    ours = gated.docker(*run, check=False)
    assert (ours.code, ours.out, ours.err) == (plain.code, plain.out, plain.err)


def test_a_command_that_is_not_there_is_127_at_once(gated, engine):
    run = ("run", "--rm", *ADDRESS, IMAGE, "nothing-there")
    assert engine.docker(*run, check=False).code == 127
    ours = gated.docker(*run, check=False)
    assert ours.code == 127
    assert "nothing-there: not found in PATH" in ours.err


def test_without_weave_cidr_nothing_is_touched(gated, container):
    gated.docker("run", "-d", "--name", container, IMAGE, "sleep", "600")
    shape = "{{.Path}} {{.Args}} {{.HostConfig.VolumesFrom}} {{len .Mounts}}"
    assert gated.docker("inspect", "-f", shape, container).out == "sleep [600] [] 0\n"
    assert gated.docker("exec", container, "ls", "/sys/class/net").out.split() == ["eth0", "lo"]


@pytest.mark.parametrize("value", ["none", " none "])
def test_none_means_none(gated, value):
    words = ("run", "--rm", "-e", f"WEAVE_CIDR={value}", IMAGE, "ls", "/sys/class/net")
    assert gated.docker(*words).out.split() == ["eth0", "lo"]


@pytest.mark.parametrize(
    "value", ["10.2.1.300/24", "10.2.1.5", "10.2.1.5/24 $(reboot)", "../../etc", "10.2.1.5/24\nx"]
)
def test_nonsense_fails_the_create_with_the_wrong_word(gated, container, value):
    words = ("create", "--name", container, "-e", f"WEAVE_CIDR={value}", IMAGE)
    result = gated.docker(*words, check=False)
    assert result.code != 0
    assert "Error response from daemon: weavewait: WEAVE_CIDR: " in result.err
    assert gated.docker("inspect", container, check=False).code != 0


def test_an_address_in_use_fails_the_start_and_leaves_nothing(gated, engine, container):
    gated.docker("run", "-d", "--name", container, *ADDRESS, IMAGE, "sleep", "600")
    links = [*engine.enter(), "ip", "-o", "link", "show", "type", "veth"]
    before = subprocess.run(links, capture_output=True, check=True).stdout.count(b"vethwl")
    second = f"{container}-2"
    result = gated.docker("run", "--name", second, *ADDRESS, IMAGE, "true", check=False)
    running = gated.docker("inspect", "-f", "{{.State.Running}}", second).out
    after = subprocess.run(links, capture_output=True, check=True).stdout.count(b"vethwl")
    gated.docker("rm", "-f", second)
    assert result.code != 0
    assert (
        f"was killed: Unable to claim: address 10.2.1.5/24 already in use by {container} ("
        in result.err
    )
    assert running == "false\n"
    assert after == before == 1


def test_two_containers_reach_each_other(gated, container):
    gated.docker("run", "-d", "--name", container, *ADDRESS, IMAGE, "sleep", "600")
    ping = ("ping", "-c", "1", "-W", "5", "-q", "10.2.1.5")
    words = ("run", "--rm", "-e", "WEAVE_CIDR=10.2.1.6/24", IMAGE, *ping)
    assert "1 packets received" in gated.docker(*words).out


RESTARTS: dict[str, Callable[[DockerCli, str], object]] = {
    "restart": lambda client, name: client.docker("restart", "-t", "0", name),
    "stop and start": lambda client, name: (
        client.docker("stop", "-t", "0", name),
        client.docker("start", name),
    ),
    "start again": lambda client, name: client.docker("start", name),
}


@pytest.mark.parametrize("again", RESTARTS.values(), ids=RESTARTS)
def test_it_is_attached_again_with_the_same_address(gated, container, again):
    words = ("run", "-d", "--name", container, "-e", "WEAVE_CIDR=net:10.2.7.0/24")
    gated.docker(*words, IMAGE, "sleep", "600")
    before = gated.docker("exec", container, "sh", "-c", SHOW).out
    again(gated, container)
    assert gated.docker("exec", container, "sh", "-c", SHOW).out == before != ""


def test_stop_is_not_slower_than_the_programs_own_end(gated, container):
    """The program is PID 1 and gets the signal itself: no shell or gate stands before it."""
    script = 'trap "exit 7" TERM; echo ready; while :; do sleep 0.05; done'
    gated.docker("run", "-d", "--name", container, *ADDRESS, IMAGE, "sh", "-c", script)
    logs = subprocess.Popen(
        ["docker", "logs", "-f", container], env=gated.environment(), stdout=subprocess.PIPE
    )
    assert logs.stdout is not None
    assert logs.stdout.readline() == b"ready\n"
    gated.docker("stop", "-t", "30", container)
    assert gated.docker("inspect", "-f", "{{.State.ExitCode}}", container).out == "7\n"
    logs.stdout.close()
    logs.wait()


def test_a_pruned_volume_container_comes_back(gated, engine):
    engine.docker("rm", "-f", "-v", "weavewait")
    assert shown(gated, *ADDRESS) == ["10.2.1.5/24"]
    assert engine.docker("inspect", "-f", "{{.Name}}", "weavewait").out == "/weavewait\n"


def test_a_committed_container_gets_no_second_gate(gated, container):
    gated.docker("run", "--name", container, *ADDRESS, IMAGE, "sh", "-c", SHOW)
    gated.docker("commit", container, "wfw-committed")
    result = gated.docker("run", "--rm", *ADDRESS, "wfw-committed")
    gated.docker("image", "rm", "wfw-committed")
    assert result.out == "10.2.1.5/24\n"


@pytest.mark.parametrize("words", [("-e", "WEAVE_CIDR=none"), ("--network", "host")])
def test_a_committed_container_that_is_left_alone_runs_without_the_gate(gated, container, words):
    gated.docker("run", "--name", container, *ADDRESS, IMAGE, "sh", "-c", "echo $$; exit 0")
    gated.docker("commit", container, "wfw-committed")
    result = gated.docker("run", "--rm", *words, "wfw-committed", check=False)
    gated.docker("image", "rm", "wfw-committed")
    assert (result.code, result.out) == (0, "1\n"), result.err


def test_the_hosts_network_is_left_alone(gated):
    words = ("run", "--rm", "--network", "host", *ADDRESS, IMAGE, "ls", "/sys/class/net")
    assert "ethwe" not in gated.docker(*words).out.split()


@pytest.mark.parametrize("network", ["none", "bridge", "wfw-own"])
def test_every_network_of_its_own_may_be_beside_it(gated, engine, network):
    if network == "wfw-own":
        engine.docker("network", "create", network)
    assert shown(gated, "--network", network, *ADDRESS) == ["10.2.1.5/24"]
    if network == "wfw-own":
        engine.docker("network", "rm", network)
