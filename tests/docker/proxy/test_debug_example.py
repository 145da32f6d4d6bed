"""docs/examples/debug: the debug adapter before and after our own, as three programs."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.support import images
from tests.support.docker_cli import DockerCli
from tests.support.launched import WEAVEWAIT
from tests.support.notified import notifications
from tests.support.proxied import proxy
from waitforweave.docker.create import GATE

EXAMPLE = Path(__file__).resolve().parents[3] / "docs/examples/debug/adapters.yml"


@contextmanager
def running(folder: Path, name: str, *words: str, below: tuple[str, ...] = ()) -> Iterator[IO[str]]:
    """`weavewait NAME`, which is ready and listens in this folder; its stdout."""
    notify = folder / f"{name}.notify"
    with notifications(notify) as notified:
        process = subprocess.Popen(
            [*below, *WEAVEWAIT, name, *words],
            stdout=subprocess.PIPE,
            env={**os.environ, "NOTIFY_SOCKET": str(notify)},
            text=True,
        )
        try:
            assert notified.recv(100) == b"READY=1"
            assert process.stdout is not None
            yield process.stdout
        finally:
            process.terminate()
            process.communicate()


@pytest.fixture
def shown(engine, volume_image, tmp_path) -> Iterator[tuple[DockerCli, IO[str]]]:
    """The docker client at the example's proxy, and what the debug adapter shows meanwhile."""
    sockets = f"unix://{tmp_path}"
    serve = [
        f"--engine={engine.url}",
        f"--state={tmp_path}/state",
        f"--listen={sockets}/hooks.sock",
    ]
    config = EXAMPLE.read_text().replace("unix:///run/weavewait", sockets)
    with (
        running(tmp_path, "adapter-debug", f"--listen={sockets}/debug.sock") as lines,
        # Nothing is attached here: its bridge goes with a network of its own.
        running(tmp_path, "serve", *serve, below=("unshare", "--net", "--")),
        proxy(tmp_path / "p", engine.url, config) as client,
    ):
        yield client, lines
    engine.docker("rm", "-f", "-v", "weavewait")


def test_what_was_asked_and_given_and_answered(engine, shown):
    client, lines = shown
    words = ("-e", "WEAVE_CIDR=10.2.1.5/24", "--name", "debugged", images.BUSYBOX, "true")
    container = client.docker("create", *words).out.strip()
    engine.docker("rm", container)
    asked, given, answered = (lines.readline().split(" ", 4) for _ in range(3))
    call = ["POST", f"/v{asked[3].split('/')[1][1:]}/containers/create?name=debugged"]
    assert [line[:2] for line in (asked, given)] == [["/asked", "pre-hook"], ["/given", "pre-hook"]]
    assert asked[2:4] == given[2:4] == answered[2:4] == call
    before, after = json.loads(asked[4]), json.loads(given[4])
    assert (before["Entrypoint"], before["Cmd"]) == (None, ["true"])
    assert (after["Entrypoint"], after["Cmd"]) == ([GATE], ["true"])
    assert answered[:2] == ["/answered", "post-hook"]
    assert answered[4].startswith("-> 201 application/json ")
    assert json.loads(answered[4].split(" ", 3)[3])["Id"] == container
