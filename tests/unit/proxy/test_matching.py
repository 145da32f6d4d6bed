"""Which rules a call matches: shell globs over "METHOD path", in the file's order."""

from __future__ import annotations

import pytest

from waitforweave.proxy.adapters import Adapter, Endpoint
from waitforweave.proxy.matching import Hooks, match

A, B = (Adapter(name, f"http://{name}/", f"http://{name}/") for name in "ab")


def matches(pattern: str, method: str, target: str) -> bool:
    return bool(match([Endpoint(pattern, (A,), ())], method, target))


@pytest.mark.parametrize(
    "pattern",
    # All those of Powerstrip's README.
    [
        "POST /v1.16/containers/create",
        "POST /v1*/containers/create",
        "POST /*/containers/create",
        "POST /*/*/create",
        "* /*/containers/create",
        "POST /v[12]*/containers/create",
        "POST /*",
    ],
)
def test_powerstrips_own_examples(pattern):
    assert matches(pattern, "POST", "/v1.16/containers/create")


@pytest.mark.parametrize(
    ("pattern", "method", "target"),
    [
        ("POST /*/containers/create", "POST", "/containers/create"),
        ("POST /*/containers/create", "GET", "/v1.41/containers/create"),
        ("POST /*/containers/create", "POST", "/v1.41/containers/create/x"),
        ("POST /a", "POST", "/b?x=/a"),
        ("POST /a", "POST", "/A"),
        ("POST /v[12]/a", "POST", "/v3/a"),
    ],
)
def test_no_match(pattern, method, target):
    assert not matches(pattern, method, target)


def test_the_query_is_not_looked_at():
    assert matches("POST /containers/create", "POST", "/containers/create?name=a/b")


def test_a_star_crosses_slashes():
    assert matches("POST /*/start", "POST", "/v1.41/containers/abc/start")


@pytest.mark.parametrize(
    "target",
    [
        "/%63ontainers/create",
        "/containers%2Fcreate",
        "http://docker/containers/create",
        "HTTP://[::1]:80/containers/create?x",
        "docker:/containers/create",
        "x+y.z-1:/%63ontainers/create",
        "http:///containers/create",
    ],
)
def test_no_other_spelling_of_a_path_passes_by(target):
    # Go's router decodes the path before it looks at it (net/url, gorilla/mux).
    assert matches("POST /containers/create", "POST", target)


def test_all_matching_rules_in_the_order_of_the_file():
    rules = [
        Endpoint("POST /*", (B,), (A,)),
        Endpoint("GET /*", (A, A), (A, A)),
        Endpoint("POST /x", (A, B), (B,)),
    ]
    assert match(rules, "POST", "/x") == Hooks(("POST /*", "POST /x"), (B, A, B), (A, B))


def test_no_rule_is_falsy():
    assert not match([], "POST", "/x")
