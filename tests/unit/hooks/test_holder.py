"""Whose address it is that was refused."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.hooks.conftest import Adapter
from waitforweave.hooks.holder import name_holder

ID = "c" * 64
IPAM = "Unable to claim: address 10.2.1.5/24 already in use by cccccccccccc"


def named(adapter: Adapter, refusal: str) -> str:
    return asyncio.run(name_holder(adapter.fake_engine(), refusal))


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (IPAM, "Unable to claim: address 10.2.1.5/24 already in use by a (cccccccccccc)"),
        (
            f"weave attach: Unable to claim: address 10.2.1.5/24 is already owned by {ID} (exit 1)",
            "weave attach: Unable to claim: address 10.2.1.5/24 is already owned by "
            "a (cccccccccccc) (exit 1)",
        ),
    ],
)
def test_the_holders_name_stands_before_its_id(adapter, container, refusal, told):
    container()
    adapter.engine.answers[f"GET /containers/{ID[:12]}/json"] = (200, {"Name": "/a"})
    assert named(adapter, refusal) == told


@pytest.mark.parametrize(
    "refusal", [IPAM, "address 10.2.1.5/24 already in use by weave:expose", "ethwe is not there"]
)
def test_where_the_engine_knows_none_it_is_as_it_was(adapter, refusal):
    assert named(adapter, refusal) == refusal
