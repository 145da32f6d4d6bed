"""Differential: what the engine would run plainly, and what it runs behind the gate.

Each image x container cell is created twice on the real engine, as it is and wrapped; inspect's
Path and Args must differ by the gate alone, and an error must be the same error.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import httpx
import pytest

from tests.support import images
from tests.support.engine import PrivateEngine
from waitforweave.docker.create import GATE, wrap

ABSENT = object()
IMAGE_ENTRYPOINTS = [None, [], ["ia"], ["ia", "ib"], "shell"]
IMAGE_CMDS = [None, [], ["id", "ie"], "shell"]
PAIRS = list(itertools.product(IMAGE_ENTRYPOINTS, IMAGE_CMDS))
ENTRYPOINTS = [ABSENT, None, [], [""], "one word", ["ca", "cb"], ["-ca"]]
CMDS = [ABSENT, None, [], "two words", ["cd", "ce"]]


@pytest.fixture(scope="module")
def api(engine: PrivateEngine):
    """The engine's API, and a volume container for VolumesFrom to name."""
    transport = httpx.HTTPTransport(uds=str(engine.socket))
    with httpx.Client(transport=transport, base_url="http://engine", timeout=30) as client:
        client.post("/containers/create?name=weavewait", json={"Image": images.BUSYBOX})
        yield client
        client.delete("/containers/weavewait?v=1")


@pytest.fixture(scope="module")
def image_names(engine: PrivateEngine) -> dict[str, str]:
    """An image for each pair of Entrypoint and Cmd, `docker import`ed with that configuration."""
    names = {}
    root = images.busybox_root()
    for number, pair in enumerate(PAIRS):
        flags: list[str] = []
        for word, value in zip(("ENTRYPOINT", "CMD"), pair, strict=True):
            if value is not None:
                text = "echo a $HOME" if value == "shell" else json.dumps(value)
                flags += ["--change", f"{word} {text}"]
        name = f"matrix-{number}"
        engine.docker("import", *flags, "-", name, stdin=root if number == 0 else TINY)
        names[repr(pair)] = name
    return names


def tiny_root() -> bytes:
    """A root with one file: nothing of the matrix is started."""
    import io
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        images.add_file(tar, "a", b"")
    return buffer.getvalue()


TINY = tiny_root()


def created(api: httpx.Client, body: dict[str, Any]) -> tuple[int, Any]:
    """Status, and what would run (Path and Args) or the engine's message."""
    answer = api.post("/containers/create", json=body)
    if answer.status_code != 201:
        return answer.status_code, answer.json()["message"]
    path = f"/containers/{answer.json()['Id']}"
    said = api.get(f"{path}/json").json()
    api.delete(path)
    return 201, [said["Path"], *said["Args"]]


def without_gate(command: list[str]) -> list[str]:
    assert command[0] == GATE
    rest = command[1:]
    return rest[1:] if rest[0] == "--" else rest


@pytest.mark.parametrize("image_pair", PAIRS, ids=repr)
def test_behind_the_gate_runs_what_would_have_run(api, image_names, image_pair):
    name = image_names[repr(image_pair)]
    config = api.get(f"/images/{name}/json").json()["Config"]
    outcomes = set()
    for entrypoint, cmd in itertools.product(ENTRYPOINTS, CMDS):
        given = {"Image": name, "Entrypoint": entrypoint, "Cmd": cmd}
        body = {key: value for key, value in given.items() if value is not ABSENT}
        plain = created(api, body)
        changed = wrap(body, config)
        status, ours = created(api, body)
        outcomes.add(status)
        if changed:
            ours = without_gate(ours)
        assert (status, ours) == plain, (image_pair, given)
    # Both outcomes, or this test compares less than it says: [""] with nothing else is an error.
    assert 201 in outcomes
