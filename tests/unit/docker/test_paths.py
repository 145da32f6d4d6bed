"""Which calls of the Engine API are ours."""

from __future__ import annotations

import pytest

from waitforweave.docker.paths import is_create, started_container


@pytest.mark.parametrize(
    ("request_path", "is_it"),
    [
        ("/containers/create", True),
        ("/v1.41/containers/create", True),
        ("/v1.41/containers/create?name=a", True),
        ("/v1.41/containers/create/x", False),
        ("/v1.41/containers/json", False),
        ("/v1.41/%63ontainers/create", True),
        ("/v1/x/containers/create", False),
        ("/build?remote=/containers/create", False),
        ("/volumes/create", False),
    ],
)
def test_create(request_path, is_it):
    assert is_create(request_path) is is_it


@pytest.mark.parametrize(
    ("request_path", "name"),
    [
        ("/containers/abc/start", "abc"),
        ("/v1.41/containers/abc/start?detachKeys=x", "abc"),
        ("/v1.41/containers/abc/restart?t=0", "abc"),
        ("/v1.41/containers/%61bc/start", "abc"),
        ("/v1.41/%63ontainers/abc/start", "abc"),
        # The engine's router sees four parts here, and has no such call.
        ("/v1.41/containers/a%2Fb/start", None),
        ("/v1.41/containers/abc/stop", None),
        ("/v1.41/containers/start", None),
        ("/v1.41/exec/abc/start", None),
    ],
)
def test_start_and_restart(request_path, name):
    assert started_container(request_path) == name
