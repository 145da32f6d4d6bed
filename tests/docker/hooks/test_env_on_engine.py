"""Differential: the environment that a program sees, and the one that we think it gets."""

from __future__ import annotations

import pytest

from tests.support import images
from tests.unit.docker.test_env import CASES
from waitforweave.docker.env import effective

# Odd names too; the engine's own variables are none of these.
CASES_HERE = [*CASES, (["A=1"], ["A =2"], {"A": "1", "A ": "2"})]


@pytest.mark.parametrize(("image", "container", "values"), CASES_HERE)
def test_we_see_what_the_program_sees(engine, api, image, container, values):
    name = images.import_image(
        engine, "env-on-engine", cmd=["env"], env=dict(e.split("=", 1) for e in image)
    )
    created = api.client.post("/containers/create", json={"Image": name, "Env": container})
    path = f"/containers/{created.json()['Id']}"
    try:
        api.client.post(f"{path}/start")
        api.client.post(f"{path}/wait")
        shown = engine.docker("logs", created.json()["Id"]).out.splitlines()
        inspected = api.client.get(f"{path}/json").json()["Config"]["Env"] or []
    finally:
        api.client.delete(path)
    own = {"PATH", "HOSTNAME", "HOME"}
    seen = dict(entry.split("=", 1) for entry in shown)
    assert {key: value for key, value in seen.items() if key not in own} == values
    # The hook after start knows the container's list only, and must decide alike.
    assert effective((), inspected) == effective(image, container) == values
