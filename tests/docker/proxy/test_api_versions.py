"""No version is pinned, and our own adapter sees calls of each, and those that name none."""

from __future__ import annotations

import httpx
import pytest

from tests.support import images
from waitforweave.docker.create import GATE

VERSIONS = ["", "/v1.24", "/v1.41"]
SHOW = ("run", "--rm", "-e", "WEAVE_CIDR=10.2.7.5/24", images.BUSYBOX, "ip", "-o", "addr")


@pytest.fixture
def api(gated):
    transport = httpx.HTTPTransport(uds=gated.url.removeprefix("unix://"))
    with httpx.Client(transport=transport, base_url="http://docker", timeout=60) as client:
        yield client


@pytest.mark.parametrize("version", VERSIONS)
def test_create_start_and_restart_with_each_version_and_with_none(engine, api, version):
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


@pytest.mark.parametrize("version", ["1.24", "1.40"])
def test_a_client_that_insists_on_its_version(gated, version):
    shown = gated.docker(*SHOW, env={"DOCKER_API_VERSION": version})
    assert " 10.2.7.5/24 " in shown.out


def test_a_version_that_the_engine_refuses_is_refused_in_its_words(engine, gated):
    new = {"DOCKER_API_VERSION": "1.99"}
    straight, through = (each.docker(*SHOW, env=new, check=False) for each in (engine, gated))
    assert through == straight
    assert "client version 1.99 is too new" in through.err
