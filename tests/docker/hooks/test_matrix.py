"""Differential: what the engine would run plainly, and what it runs behind the gate.

Each image x container cell is created twice on the real engine, as it is and wrapped; inspect's
Path and Args must differ by the gate alone, and an error must be the same error.
"""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.docker.hooks.conftest import Api, tiny_root, without_gate
from tests.support.engine import PrivateEngine
from waitforweave.docker.create import wrap
from waitforweave.docker.json_object import dump, parse

ABSENT = object()
IMAGE_ENTRYPOINTS = [None, [], ["ia"], ["ia", "ib"], "shell"]
IMAGE_CMDS = [None, [], ["id", "ie"], "shell"]
PAIRS = list(itertools.product(IMAGE_ENTRYPOINTS, IMAGE_CMDS))
ENTRYPOINTS = [ABSENT, None, [], [""], "one word", ["ca", "cb"], ["-ca"]]
CMDS = [ABSENT, None, [], "two words", ["cd", "ce"]]
# The engine waits for its disk most of the time.
CELLS_AT_ONCE = 4


@pytest.fixture(scope="module")
def image_names(engine: PrivateEngine) -> dict[str, str]:
    """An image for each pair of Entrypoint and Cmd, `docker import`ed with that configuration."""
    names = {}
    root = tiny_root()
    for number, pair in enumerate(PAIRS):
        flags: list[str] = []
        for word, value in zip(("ENTRYPOINT", "CMD"), pair, strict=True):
            if value is not None:
                text = "echo a $HOME" if value == "shell" else json.dumps(value)
                flags += ["--change", f"{word} {text}"]
        name = f"matrix-{number}"
        engine.docker("import", *flags, "-", name, stdin=root)
        names[repr(pair)] = name
    return names


def compared(api: Api, body: str, config: dict[str, Any]) -> int:
    """The status, which is the same on both ways, as all else is."""
    status, plain = api.created(body)
    gated = parse(body)
    changed = wrap(gated, config)
    ours_status, ours = api.created(dump(gated))
    if changed:
        ours = without_gate(ours)
    assert (ours_status, ours) == (status, plain), (config, body)
    return status


@pytest.mark.parametrize("image_pair", PAIRS, ids=repr)
def test_behind_the_gate_runs_what_would_have_run(api, image_names, image_pair):
    name = image_names[repr(image_pair)]
    config = api.image_config(name)
    bodies = []
    for entrypoint, cmd in itertools.product(ENTRYPOINTS, CMDS):
        given = {"Image": name, "Entrypoint": entrypoint, "Cmd": cmd}
        bodies.append(json.dumps({key: each for key, each in given.items() if each is not ABSENT}))
    with ThreadPoolExecutor(CELLS_AT_ONCE) as pool:
        statuses = set(pool.map(lambda body: compared(api, body, config), bodies))
    # Both outcomes, or this compares less than it says: [""] and nothing else is an error.
    assert statuses == {201, 400}
