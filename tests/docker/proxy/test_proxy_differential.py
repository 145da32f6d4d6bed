"""The same docker commands straight to the engine, through us, and through us with an adapter
around each call: what they print and their exit codes are alike. Streams have their own file."""

from __future__ import annotations

import io
import os
import re
import subprocess
import tarfile
from collections.abc import Callable

import pytest

from tests.docker.proxy.scenes import created, gone, run
from tests.support import images
from tests.support.docker_cli import DockerCli

IMAGE = images.BUSYBOX
RUN = ("run", "--rm", "--net=none")
SCENARIOS: list[Callable[[DockerCli], object]] = []


def scenario(function: Callable[[DockerCli], object]) -> Callable[[DockerCli], object]:
    SCENARIOS.append(function)
    return function


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
