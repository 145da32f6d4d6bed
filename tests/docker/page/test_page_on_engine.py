"""The live page of a real launch: frozen server in its container, real gates, a real browser."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.page.shots import OPEN
from tests.support import images
from tests.support.browser import Browser, chromium
from tests.support.docker_cli import DockerCli
from tests.support.engine import PrivateEngine
from tests.support.launched import launched
from tests.support.relay import relay

PORT = 8008
PAGE = f"http://127.0.0.1:{PORT}"
FETCH = (
    "import sys, urllib.request as r; a = r.urlopen(sys.argv[1]); "
    "print(a.headers['Content-Type'], a.read(200000).decode())"
)


@pytest.fixture(scope="module")
def client(engine: PrivateEngine, volume_image: str) -> Iterator[DockerCli]:
    """The docker client at our proxy; the page is asked for."""
    socket = engine.root / "paged" / "docker.sock"
    with launched(engine, socket, "--page", f"127.0.0.1:{PORT}") as client:
        yield client


@pytest.fixture(scope="module")
def page(engine: PrivateEngine, client: DockerCli) -> Iterator[Browser]:
    """A browser at the hook server's own socket, as through `ssh -L`: the page's port is in the
    engine's network, where our browser is not."""
    where = engine.docker("volume", "inspect", "-f", "{{.Mountpoint}}", "weavewait-run")
    socket = f"{where.out.strip()}/hooks.sock"
    with relay(engine.root / socket) as url, chromium() as browser:
        browser.go(url)
        browser.until(lambda: browser.texts("#link") == ["live"])
        yield browser


def run(client: DockerCli, name: str, cidr: str, *options: str) -> str:
    words = ("run", "-d", "--name", name, "-e", f"WEAVE_CIDR={cidr}", *options)
    return client.docker(*words, images.BUSYBOX, "sleep", "600").out.strip()


def state(page: Browser, identity: str) -> list[str]:
    return page.texts(f"[data-id='{identity}'] :is(.state, .what)")


def step_names(page: Browser, identity: str) -> list[str]:
    page.run(OPEN, identity)
    page.until(lambda: page.texts(f"[data-id='{identity}'] .step"))
    return page.texts(f"[data-id='{identity}'] .step")


def in_network(engine: PrivateEngine, container: str, *command: str) -> None:
    """A command of the host's in the container's network namespace."""
    pid = engine.docker("inspect", "-f", "{{.State.Pid}}", container).out.strip()
    subprocess.run([*engine.enter(), "nsenter", "-t", pid, "-n", "--", *command], check=True)


def test_it_waits_until_its_network_comes_and_is_ready_then(engine, client, page):
    identity = run(client, "vpn", "10.2.1.5/24", "-e", "WAIT_FOR_WEAVE_INTERFACE=late0")
    page.until(lambda: state(page, identity)[:1] == ["waiting"])
    assert "for an address on late0" in state(page, identity)[1]
    # Attached, but that is not what its gate waits for.
    page.until(lambda: page.run("return rows.get(arguments[0]).attached", identity))
    assert page.run("return rows.get(arguments[0]).ready", identity) is None
    in_network(
        engine, "vpn", *["ip", "link", "add", "late0", "type", "veth", "peer", "name", "far0"]
    )
    in_network(engine, "vpn", "ip", "link", "set", "late0", "up")
    in_network(engine, "vpn", "ip", "link", "set", "far0", "up")
    in_network(engine, "vpn", "ip", "addr", "add", "10.9.9.9/24", "dev", "late0")
    page.until(lambda: state(page, identity)[:1] == ["ready"])
    story = page.run("return rows.get(arguments[0])", identity)
    assert story["created"] < story["started"] < story["attached"] < story["ready"]
    assert step_names(page, identity) == ["created", "started", "attached", "ready", "running"]
    client.docker("rm", "-f", "vpn")
    page.until(lambda: state(page, identity) == [])


def test_a_usual_one_is_ready_when_docker_run_returns(client, page):
    identity = run(client, "usual", "net:10.2.7.0/24")
    page.until(lambda: state(page, identity)[:1] == ["ready"])
    story = page.run("return rows.get(arguments[0])", identity)
    # Whether its gate was seen or not: that is there for a moment only.
    assert story["attached"] <= story["ready"]
    client.docker("stop", "-t", "0", "usual")
    page.until(lambda: state(page, identity)[:1] == ["ended"])
    assert "exit code 137" in state(page, identity)[1]
    client.docker("rm", "usual")


def test_a_failure_stays_with_its_reason_when_its_container_is_removed(client, page):
    first = run(client, "first", "10.2.1.9/24")
    words = ("run", "--rm", "--name", "second", "-e", "WEAVE_CIDR=10.2.1.9/24", images.BUSYBOX)
    assert client.docker(*words, "true", check=False).code != 0
    page.until(lambda: "second" in page.texts("[data-state=failed] .name"))
    (said,) = page.texts("[data-state=failed] .what")
    assert said.startswith(
        f"Unable to claim: address 10.2.1.9/24 already in use by first ({first[:12]})"
    )
    client.docker("rm", "-f", "first")


def test_a_gate_whose_time_is_up_is_said_to_have_given_up(client, page):
    options = ("-e", "WAIT_FOR_WEAVE_INTERFACE=never0", "-e", "WAIT_FOR_SECONDS=0.2")
    identity = run(client, "never", "10.2.1.8/24", *options)
    page.until(lambda: state(page, identity) == ["failed", "the gate's time ran out (exit code 1)"])
    client.docker("rm", "-f", "never")


def test_the_page_is_on_the_port_that_was_asked_for(engine, client):
    def fetched(path: str) -> str:
        words = [*engine.enter(), sys.executable, "-c", FETCH, PAGE + path]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    assert fetched("/").startswith("text/html; charset=utf-8 <!doctype html>")
    assert "containers" in json.loads(fetched("/v1/status").split(" ", 1)[1])
