"""The engine restarted under us, with live-restore and without: all that runs has its network."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support import images
from tests.support.docker_cli import DockerCli
from tests.support.engine import PrivateEngine
from tests.support.launched import launched, make_image

PATIENCE_SECONDS = 60.0
LABEL = "restarted"
SHOW = ("ip", "-4", "-o", "addr", "show", "dev", "ethwe")
# So that the engine's end does not wait for them.
RUN = ("run", "-d", "--label", LABEL, "--stop-signal", "KILL", "-e", "WAIT_FOR_SECONDS=0")
LIVE_RESTORE = {"live-restore": True, "no live-restore": False}
MODES = {"containers": (), "processes": ("--host-process",)}


@pytest.fixture(scope="module", params=LIVE_RESTORE)
def restarted(request: pytest.FixtureRequest) -> Iterator[tuple[PrivateEngine, bool]]:
    """An engine of our own, which no other test uses, and whether containers outlive its end."""
    live = LIVE_RESTORE[request.param]
    with PrivateEngine(dockerd_args=["--live-restore"] * live) as engine:
        images.import_image(engine, images.BUSYBOX, cmd=["sh"])
        make_image(engine)
        yield engine, live


@pytest.fixture(params=MODES)
def client(request: pytest.FixtureRequest, restarted) -> Iterator[DockerCli]:
    """The docker client at our proxy; containers of the test are removed at the end."""
    engine, _ = restarted
    options = MODES[request.param]
    enter = engine.enter() if options else ()
    with launched(engine, engine.root / "ours" / "d.sock", *options, enter=enter) as client:
        yield client
        engine.docker("rm", "-f", *engine.docker("ps", "-aqf", f"label={LABEL}").out.split())


def until(holds: Callable[[], object], told: Callable[[], object]) -> None:
    """The test's own patience. What it waits for is another process' doing."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, told()
        threading.Event().wait(0.05)


def run(docker: DockerCli, name: str, cidr: str, *options: str) -> str:
    words = ("--name", name, "-e", f"WEAVE_CIDR={cidr}", *options, images.BUSYBOX, "sleep", "600")
    return docker.docker(*RUN, *words).out.strip()


def has(engine: DockerCli, container: str, cidr: str) -> bool:
    return f" {cidr} " in engine.docker("exec", container, *SHOW, check=False).out


def pid(engine: DockerCli, container: str) -> str:
    return engine.docker("inspect", "-f", "{{.State.Pid}}", container).out


def test_all_that_runs_after_it_is_attached(restarted, client):
    engine, live = restarted
    always = run(client, "always", "10.2.1.5/24", "--restart", "always")
    subnet = run(client, "subnet", "net:10.2.2.0/24", "--restart", "always")
    never = run(client, "never", "10.2.1.6/24")
    before = pid(engine, always)

    engine.restart()

    assert (pid(engine, always) == before) == live
    assert (pid(engine, never) != "0\n") == live
    until(lambda: has(engine, always, "10.2.1.5/24"), engine.log)
    until(lambda: has(engine, subnet, "10.2.2.1/24"), engine.log)
    assert has(engine, never, "10.2.1.6/24") == live
    # The events are followed again: nobody's call tells of this one.
    past = run(engine, "past", "10.2.1.7/24")
    until(lambda: has(engine, past, "10.2.1.7/24"), engine.log)
    # And so are calls.
    until(lambda: client.docker("version", check=False).code == 0, engine.log)
    gated = run(client, "gated", "10.2.1.8/24")
    assert has(engine, gated, "10.2.1.8/24")
    reached = engine.docker("exec", gated, "ping", "-c", "1", "-W", "5", "10.2.1.5", check=False)
    assert reached.code == 0, reached.out
