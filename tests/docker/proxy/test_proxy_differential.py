"""The same docker commands straight to the engine, through us, and through us with an adapter
around each call: what they print and their exit codes are alike."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import tarfile
from collections.abc import Callable

import pytest

from tests.support import images
from tests.support.docker_cli import DockerCli, Result

IMAGE = images.BUSYBOX
RUN = ("run", "--rm", "--net=none")
SCENARIOS: list[Callable[[DockerCli], object]] = []
# Differs between two runs straight to the engine, too.
VOLATILE = re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b|\d{4}-\d\d-\d\dT[0-9:.]+Z")


def scenario(function: Callable[[DockerCli], object]) -> Callable[[DockerCli], object]:
    SCENARIOS.append(function)
    return function


def told(result: Result) -> tuple[int, str, str]:
    return result.code, VOLATILE.sub("ID", result.out), VOLATILE.sub("ID", result.err)


def run(client: DockerCli, *words: str, stdin: bytes | None = None) -> tuple[int, str, str]:
    return told(client.docker(*words, stdin=stdin, check=False))


def created(client: DockerCli, *words: str) -> str:
    return client.docker("run", "-d", "--net=none", *words).out.strip()


def gone(client: DockerCli, container: str) -> None:
    client.docker("rm", "-f", "-v", container)


def on_terminal(
    client: DockerCli, *words: str, typed: bytes, first: bytes = b""
) -> tuple[int, str]:
    """The docker command with a terminal for its streams: exit code and all that it showed.

    `first` is typed at once, `typed` when the program says "ready"."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["docker", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=client.environment(),
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    with os.fdopen(ours, "r+b", buffering=0) as terminal:
        terminal.write(first)
        while b"ready" not in shown:
            shown += terminal.read(4096)
        terminal.write(typed)
        try:
            while piece := terminal.read(4096):
                shown += piece
        except OSError:  # EIO: nobody has the other end any more.
            pass
    return process.wait(timeout=60), VOLATILE.sub("ID", shown.decode())


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
    # A detached container's stdin stays open when a client's ends: the program ends by itself.
    container = created(client, "-i", IMAGE, "sh", "-c", "read a; echo got $a; exit 6")
    try:
        return run(client, "attach", container, stdin=b"a line\n")
    finally:
        gone(client, container)


@scenario
def build_with_the_classic_builder(client):
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        images.add_file(tar, "Dockerfile", f"FROM {IMAGE}\nCOPY f /f\nRUN wc -c /f\n".encode())
        images.add_file(tar, "f", os.urandom(1) * 2_000_000)
    code, out, _ = run(
        client, "build", "--no-cache", "--network=none", "-", stdin=context.getvalue()
    )
    return code, "2000000 /f" in out, "Successfully built" in out


@scenario
def build_that_fails(client):
    dockerfile = f"FROM {IMAGE}\nRUN exit 7\n".encode()
    code, _, err = run(client, "build", "--network=none", "--no-cache", "-", stdin=dockerfile)
    return code, err[-80:]


@scenario
def copy_both_ways(client):
    container = client.docker("create", IMAGE, "true").out.strip()
    tree = io.BytesIO()
    with tarfile.open(fileobj=tree, mode="w") as tar:
        images.add_file(tar, "big", b"0123456789" * 300_000)
    try:
        put = run(client, "cp", "-", f"{container}:/tmp", stdin=tree.getvalue())
        return [
            put,
            run(client, "cp", f"{container}:/tmp/big", "-"),
            run(client, "cp", f"{container}:/no/such", "-"),
            run(client, "diff", container),
        ]
    finally:
        gone(client, container)


@scenario
def events_of_a_span(client):
    since = client.docker("system", "info", "-f", "{{.SystemTime}}").out.strip()
    client.docker(*RUN, "--name", "evented", IMAGE, "true")
    until = client.docker("system", "info", "-f", "{{.SystemTime}}").out.strip()
    words = ("events", "--since", since, "--until", until, "--filter", "container=evented")
    return run(client, *words, "--format", "{{.Action}}")


@scenario
def save_and_load(client):
    saved = subprocess.run(
        ["docker", "save", IMAGE], env=client.environment(), capture_output=True, check=True
    ).stdout
    return len(saved), run(client, "load", stdin=saved)


@scenario
def load_of_what_is_no_image(client):
    code, out, err = run(client, "load", stdin=b"no tar " * 1000)
    return code, out, re.sub(r"docker-import-\d+", "DIR", err)


@scenario
def import_and_remove(client):
    result = run(client, "import", "-", "imported", stdin=images.busybox_root())
    return result[0], run(client, "rmi", "imported")[0]


@scenario
def wait_for_one_that_has_ended(client):
    container = created(client, IMAGE, "sh", "-c", "exit 9")
    try:
        return run(client, "wait", container), run(client, "wait", container)
    finally:
        gone(client, container)


@scenario
def top_stats_and_lists(client):
    container = created(client, "--name", "topped", IMAGE, "sleep", "1000")
    try:
        return [
            run(client, "top", container, "-o", "args"),
            run(client, "ps", "--filter", "name=topped", "--format", "{{.Names}} {{.Image}}"),
            run(client, "stats", "--no-stream", "--format", "{{.Name}}", container),
            run(client, "images", "--format", "{{.Repository}}", IMAGE),
            run(client, "version", "--format", "{{.Server.Version}}"),
        ]
    finally:
        gone(client, container)


@scenario
def volumes_and_networks(client):
    return [
        run(client, "volume", "create", "a-volume"),
        run(client, "volume", "inspect", "-f", "{{.Name}}", "a-volume"),
        run(client, "volume", "rm", "a-volume"),
        run(client, "network", "create", "--internal", "a-network"),
        run(client, "network", "rm", "a-network"),
    ]


@scenario
def commit_and_an_empty_entrypoint(client):
    container = client.docker("create", "--entrypoint", "", IMAGE, "echo", "a b").out.strip()
    try:
        return [
            run(client, "commit", container, "committed"),
            run(client, *RUN, "committed"),
            run(client, *RUN, "--entrypoint", "", IMAGE, "echo", "a b"),
            run(client, "rmi", "committed")[0],
        ]
    finally:
        gone(client, container)


@scenario
def errors_of_each_kind(client):
    return [
        # No such image: the engine's own 404 makes the client pull (weave#967), from nowhere.
        run(client, "run", "--pull=never", "no-such-image"),
        run(client, "create", "--name", "bad name", IMAGE),
        run(client, "inspect", "no-such-thing"),
        run(client, "start", "no-such-container"),
        run(client, "network", "rm", "no-such-network"),
        run(client, *RUN, IMAGE, "no-such-program"),
        run(client, *RUN, "--memory=1", IMAGE, "true"),
        run(client, "logs", "no-such-container"),
    ]


@pytest.mark.parametrize("play", SCENARIOS, ids=lambda play: play.__name__)
def test_alike(engine, plain, watched, play):
    straight = play(engine)
    assert play(plain) == straight
    assert play(watched) == straight
