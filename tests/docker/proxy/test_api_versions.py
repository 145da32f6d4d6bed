"""No version is pinned, and our own adapter sees calls of each, and those that name none."""

from __future__ import annotations

import httpx
import pytest

from tests.support import images
from waitforweave.docker.create import GATE

SHOW = ("run", "--rm", "-e", "WEAVE_CIDR=10.2.7.5/24", images.BUSYBOX, "ip", "-o", "addr")


@pytest.fixture(scope="module")
def limits(engine) -> dict[str, str]:
    """The oldest and the newest version that this engine takes, and those just beyond."""
    shown = engine.docker("version", "--format", "{{.Server.MinAPIVersion}} {{.Server.APIVersion}}")
    oldest, newest = shown.out.split()
    older, newer = (f"1.{int(each[2:]) + by}" for each, by in ((oldest, -1), (newest, 1)))
    return {"oldest": oldest, "newest": newest, "older": older, "newer": newer}


@pytest.fixture
def api(gated):
    transport = httpx.HTTPTransport(uds=gated.url.removeprefix("unix://"))
    with httpx.Client(transport=transport, base_url="http://docker", timeout=60) as client:
        yield client


@pytest.mark.parametrize("which", ["oldest", "newest", "none"])
def test_create_start_and_restart_with_each_version_and_with_none(engine, api, limits, which):
    version = f"/v{limits[which]}" if which in limits else ""
    body = {"Image": images.BUSYBOX, "Cmd": ["sleep", "1000"], "Env": ["WEAVE_CIDR=10.2.7.6/24"]}
    created = api.post(f"{version}/containers/create", json=body)
    assert created.status_code == 201
    name = created.json()["Id"]
    show = ("exec", name, "ip", "-o", "addr", "show", "ethwe")
    try:
        assert engine.docker("inspect", "-f", "{{.Path}}", name).out.strip() == GATE
        for call in ("start", "restart"):
            path = f"{version}/containers/{name}/{call}?t=0"
            assert api.post(path).status_code == 204
            # The start has been answered: the address is there.
            assert " 10.2.7.6/24 " in engine.docker(*show).out
    finally:
        engine.docker("rm", "-f", name)


@pytest.mark.parametrize("which", ["oldest", "newest"])
def test_a_client_that_insists_on_its_version(gated, limits, which):
    shown = gated.docker(*SHOW, env={"DOCKER_API_VERSION": limits[which]})
    assert " 10.2.7.5/24 " in shown.out


@pytest.mark.parametrize(("which", "words"), [("older", "too old"), ("newer", "too new")])
def test_a_version_that_the_engine_refuses_is_refused_in_its_words(
    engine, gated, limits, which, words
):
    env = {"DOCKER_API_VERSION": limits[which]}
    straight, through = (each.docker(*SHOW, env=env, check=False) for each in (engine, gated))
    assert through == straight
    assert f"client version {limits[which]} is {words}" in through.err
