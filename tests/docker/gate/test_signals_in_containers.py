"""What `docker stop` and `docker kill` send ends the wait at once, and what a terminal sends."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.docker.gate import boxes
from tests.netns.gate.space import signal_set
from tests.support import images
from tests.support.engine import PrivateEngine
from tests.support.engine_api import Container, EngineApi
from waitforweave.docker.create import GATE

FATAL = {"HUP": 1, "INT": 2, "QUIT": 3, "TERM": 15}
HOW: dict[str, dict[str, Any]] = {
    "as the first process": {},
    "under an init": {"host": {"Init": True}},
    "with a terminal": {"Tty": True},
    "in the host's pid namespace": {"host": {"PidMode": "host"}},
}
NO_LIMIT = ["WAIT_FOR_SECONDS=0"]


@pytest.fixture
def waits(engine: PrivateEngine) -> Callable[[Container], None]:
    """Returns once the gate in a container has its handlers."""

    def read(pid: int, name: str) -> str:
        words = [*engine.enter(), "cat", f"/proc/{pid}/{name}"]
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout

    def until_it_waits(container: Container) -> None:
        pid = container.state()["Pid"]
        # No event says what another process does: this one is looked for.
        while True:
            state = container.state()
            assert state["Running"], container.wait()
            for number in (pid, *map(int, read(pid, f"task/{pid}/children").split())):
                comm = read(number, "comm")
                if comm == "wait-for-weave\n" and 15 in signal_set(
                    read(number, "status"), "SigCgt"
                ):
                    return

    return until_it_waits


@pytest.mark.usefixtures("volume")
@pytest.mark.parametrize("name", FATAL)
@pytest.mark.parametrize("how", HOW)
def test_a_signal_ends_the_wait(
    api: EngineApi, waits: Callable[[Container], None], how: str, name: str
) -> None:
    body = boxes.body(images.BUSYBOX, "echo", "ran", env=NO_LIMIT, **HOW[how])
    with api.container(boxes.gated(body)) as container:
        assert not container.start()
        waits(container)
        container.signal(name)
        ended = container.wait()
    assert ended.code == 128 + FATAL[name]
    said = ended.out + ended.err
    assert f"ended by signal {FATAL[name]} while waiting" in said
    assert "ran" not in said


@pytest.mark.usefixtures("volume")
def test_one_that_was_paused_ends_at_once_too(
    api: EngineApi, waits: Callable[[Container], None]
) -> None:
    body = boxes.gated(boxes.body(images.BUSYBOX, "echo", "ran", env=NO_LIMIT))
    with api.container(body) as container:
        assert not container.start()
        waits(container)
        for call in ("pause", "unpause"):
            assert api.call("POST", f"/containers/{container.id}/{call}").status_code == 204
        container.signal("TERM")
        assert container.wait().code == 143


@pytest.mark.usefixtures("volume")
@pytest.mark.parametrize("init", [[], ["--init"]], ids=["plain", "--init"])
@pytest.mark.parametrize(("key", "code"), [(b"\x03", 130), (b"\x1c", 131)])
def test_a_key_in_the_foreground_ends_the_wait(
    engine: PrivateEngine,
    api: EngineApi,
    waits: Callable[[Container], None],
    *,
    init: list[str],
    key: bytes,
    code: int,
) -> None:
    name = f"foreground-{os.urandom(4).hex()}"
    words = ["docker", "run", "-it", "--rm", "--name", name, *init, "-e", *NO_LIMIT]
    words += ["--volumes-from", "weavewait:ro", "--entrypoint", GATE, images.BUSYBOX, "echo", "ran"]
    master, slave = pty.openpty()
    client = subprocess.Popen(
        words, stdin=slave, stdout=slave, stderr=slave, env=engine.environment()
    )
    os.close(slave)
    container = Container(api, name, tty=True)
    while not container.runs():
        assert client.poll() is None
    waits(container)
    os.write(master, key)
    assert client.wait() == code
    os.close(master)
