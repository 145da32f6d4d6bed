"""Which calls of the Engine API are ours."""

from __future__ import annotations

import pytest

from waitforweave.docker.paths import is_create, path_of, started_container


@pytest.mark.parametrize(
    ("request_path", "is_it"),
    [
        ("/containers/create", True),
        ("/v1.41/containers/create", True),
        ("/v1.41/containers/create?name=a", True),
        ("/v1.41/containers/create/x", False),
        ("/v1.41/containers/json", False),
        ("/v1.41/%63ontainers/create", True),
        ("docker:/v1.41/containers/create", True),
        ("x://a]/containers/create", True),
        ("/v4.9.3-dev/containers/create", True),
        ("/v1/x/containers/create", False),
        ("/vx/containers/create", False),
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
        ("/v5.0.0-rc1/containers/abc/start", "abc"),
        ("/v1.41/containers/%61bc/start", "abc"),
        ("/v1.41/%63ontainers/abc/start", "abc"),
        ("/v1.41/containers/web%2Fdb/start", "web/db"),
        ("/v1.41/containers/web/db/start", "web/db"),
        ("/v1.41/containers/abc/stop", None),
        ("/v1.41/containers/start", None),
        ("/v1.41/exec/abc/start", None),
    ],
)
def test_start_and_restart(request_path, name):
    assert started_container(request_path) == name


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("*", "*"),
        ("/a?b", "/a"),
        ("http://h", "/"),
        ("http://h/", "/"),
        ("h:443", "h:443"),
        ("x:/a://b/c", "/a://b/c"),
        ("/a://b/c", "/a://b/c"),
        ("1x:/a", "1x:/a"),
    ],
)
def test_odd_targets(target, path):
    assert path_of(target) == path
