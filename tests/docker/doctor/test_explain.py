"""`weavewait explain` on a real engine: each way in which a container may be, or not be, gated."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import images
from tests.support.docker_cli import DockerCli
from tests.support.engine import PrivateEngine
from tests.support.launched import weavewait

PATIENCE_SECONDS = 60.0
LATE = ("--label", "weavewait.interface=late0")


@pytest.fixture(autouse=True)
def cleared(engine: PrivateEngine) -> Iterator[None]:
    """The container of the test is removed at its end."""
    yield
    ids = engine.docker("ps", "-aq", "--filter", "name=explained").out.split()
    if ids:
        engine.docker("rm", "-f", "-v", *ids)


def run(
    client: DockerCli, *words: str, name: str = "explained", command: str = "sleep 600"
) -> None:
    """Whatever comes of it."""
    flags = ("run", "-d", "--name", name, *words)
    client.docker(*flags, images.BUSYBOX, *command.split(), check=False)


def explained(engine: PrivateEngine, name: str = "explained") -> dict[str, Any]:
    said = weavewait("explain", "--engine", engine.url, "--json", name, enter=engine.enter())
    assert (said.code, said.err) == (0, "")
    found: dict[str, Any] = json.loads(said.out)
    return found


def until(engine: PrivateEngine, now: str) -> dict[str, Any]:
    """Explained, once it is doing this, and the hook server has said something of it: the engine
    knows first."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not ((found := explained(engine))["now"].startswith(now) and found["log"]):
        assert time.monotonic() < deadline, found
    return found


def test_gated_and_running(engine, gated):
    run(gated, "-e", "WEAVE_CIDR=10.2.1.5/24")
    found = until(engine, "its command runs")
    assert (found["gated"], found["why"]) == (True, "WEAVE_CIDR=10.2.1.5/24, its own")
    assert found["waits_for"] == [
        "at most 30 s, for:",
        "interface ethwe: ready, has 10.2.1.5/24",
        "address 10.2.1.5/24: ready, on ethwe",
    ]
    assert found["attached"] == "10.2.1.5/24"
    assert "attached 10.2.1.5/24" in found["log"][-1]
    assert found["todo"] == []
    text = weavewait("explain", "--engine", engine.url, "explained", enter=engine.enter())
    assert "\ngated      yes: WEAVE_CIDR=10.2.1.5/24, its own\n" in text.out


def test_gated_and_waiting(engine, gated):
    run(gated, "-e", "WEAVE_CIDR=", *LATE, "--label", "weavewait.timeout=0")
    found = until(engine, "its gate waits, though it is attached")
    assert found["waits_for"][0] == "for ever, for:"
    assert found["waits_for"][1].startswith("interface late0: missing, not there (interfaces:")
    assert found["options"] == ["WAIT_FOR_WEAVE_INTERFACE=late0", "WAIT_FOR_WEAVE_TIMEOUT=0"]
    assert found["attached"].startswith("10.32.0.")


def test_its_gate_gave_up(engine, gated):
    run(gated, "-e", "WEAVE_CIDR=", *LATE, "--label", "weavewait.timeout=0.01")
    found = until(engine, "its gate gave up (exit code 1)")
    assert any("not ready after 0.01 s" in line for line in found["log"])
    assert found["todo"][-1].startswith("let it wait longer")


def test_its_attach_failed(engine, gated):
    run(gated, "-e", "WEAVE_CIDR=10.2.1.5/24", name="explained-first")
    run(gated, "-e", "WEAVE_CIDR=10.2.1.5/24")
    found = explained(engine)
    assert found["now"] == "it was killed, since it could not be attached: see the log below"
    assert any("already in use by" in line for line in found["log"])


def test_its_command_ended(engine, gated):
    run(gated, "-e", "WEAVE_CIDR=", command="false")
    assert " 10.32.0." in until(engine, "it ended with exit code 1")["log"][-1]


@pytest.mark.parametrize(
    ("straight", "words", "why"),
    [
        (False, (), "neither it nor its image sets WEAVE_CIDR"),
        (True, ("-e", "WEAVE_CIDR="), "it was made past the proxy, or before it was there"),
        (False, ("-e", "WEAVE_CIDR=", "--network=host"), "network mode host: an interface there"),
    ],
)
def test_not_gated(engine, gated, straight, words, why):
    run(engine if straight else gated, *words)
    found = explained(engine)
    assert found["gated"] is False
    assert found["why"].startswith(why)
    assert found["todo"]


def test_nobody_of_this_name(engine, gated):
    said = weavewait("explain", "--engine", engine.url, "nobody", enter=engine.enter())
    assert (said.code, said.out) == (1, "")
    assert said.err == "weavewait explain: No such container: nobody\n"


def test_without_the_hook_server_the_gate_is_asked_all_the_same(engine, gated):
    run(gated, "-e", "WEAVE_CIDR=", *LATE, "--label", "weavewait.timeout=0")
    engine.docker("stop", "-t", "0", "weavewait-hooks")
    try:
        found = explained(engine)
    finally:
        engine.docker("start", "weavewait-hooks")
    assert found["attached"].startswith("not seen: no answer from the hook server")
    assert found["waits_for"][1].startswith("interface late0: missing")
    assert found["todo"] == [f"weavewait doctor --engine {engine.url}"]
