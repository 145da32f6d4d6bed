"""The docker client's streams (run, exec, attach, logs; with a terminal and without) straight to
the engine, through us, and through us with an adapter around each call: all of it is alike."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from tests.docker.proxy.scenes import created, gone, on_terminal, run
from tests.support import images
from tests.support.docker_cli import DockerCli

IMAGE = images.BUSYBOX
RUN = ("run", "--rm", "--net=none")
SCENARIOS: list[Callable[[DockerCli], object]] = []


def scenario(function: Callable[[DockerCli], object]) -> Callable[[DockerCli], object]:
    SCENARIOS.append(function)
    return function


@scenario
def run_in_the_foreground(client):
    return run(client, *RUN, IMAGE, "sh", "-c", "echo out; echo err >&2; exit 3")


@scenario
def run_with_stdin_to_its_end(client):
    # wc speaks only after stdin's end: half-close must go through (haproxy#2684).
    return run(client, *RUN, "-i", IMAGE, "wc", "-c", stdin=b"x" * 3_000_000)


@scenario
def run_with_output_of_megabytes(client):
    return run(client, *RUN, IMAGE, "sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' a")


@scenario
def run_with_an_empty_stdin(client):
    return run(client, *RUN, "-i", IMAGE, "cat", stdin=b"")


@scenario
def run_on_a_terminal(client):
    script = "stty size >/dev/null 2>&1; tty; echo ready; read a; echo got $a; exit 4"
    return on_terminal(client, *RUN, "-it", IMAGE, "sh", "-c", script, typed=b"hello\n")


@scenario
def detach_keys(client):
    container = created(client, "-it", IMAGE, "sh", "-c", "while :; do echo ready; read a; done")
    try:
        words = ("attach", "--detach-keys=ctrl-a,x", container)
        # What was said before we came is not shown: ask for more.
        code, _ = on_terminal(client, *words, first=b"\n", typed=b"\x01x")
        running = run(client, "inspect", "-f", "{{.State.Running}}", container)
    finally:
        gone(client, container)
    return code, running


@scenario
def exec_with_its_streams_and_exit_code(client):
    container = created(client, IMAGE, "sleep", "1000")
    try:
        script = "cat; echo err >&2; exit 5"
        return [
            run(client, "exec", "-i", container, "sh", "-c", script, stdin=b"in" * 100_000),
            run(client, "exec", container, "echo", "a"),
            run(client, "exec", container, "no-such-program"),
            on_terminal(
                client, "exec", "-it", container, "sh", "-c", "echo ready; read a", typed=b"\n"
            ),
        ]
    finally:
        gone(client, container)


@scenario
def logs_follow_to_the_end(client):
    script = "for i in 1 2 3 4 5; do echo $i; echo $i >&2; sleep 0.1; done"
    container = created(client, IMAGE, "sh", "-c", script)
    try:
        followed = run(client, "logs", "-f", container)
        return (
            sorted(followed[1].split()),
            sorted(followed[2].split()),
            run(client, "wait", container),
        )
    finally:
        gone(client, container)


@scenario
def start_and_attach(client):
    container = client.docker("create", "-i", IMAGE, "sh", "-c", "cat; exit 6").out.strip()
    try:
        return run(client, "start", "-a", "-i", container, stdin=b"to the end")
    finally:
        gone(client, container)


@scenario
def attach_to_a_running_container(client):
    container = created(client, "-i", IMAGE, "sh", "-c", "read a; echo got $a; exit 6")
    try:
        with subprocess.Popen(
            ["docker", "attach", container],
            env=client.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as attached:
            assert attached.stdin is not None
            assert attached.stdout is not None
            attached.stdin.write(b"a line\n")
            attached.stdin.flush()
            # Stdin stays open until then: straight too, attach may end with it, before the output.
            said = attached.stdout.read()
        return attached.returncode, said
    finally:
        gone(client, container)


@pytest.mark.parametrize("play", SCENARIOS, ids=lambda play: play.__name__)
def test_alike(engine, plain, watched, play):
    straight = play(engine)
    assert play(plain) == straight
    assert play(watched) == straight
