"""docker inspect, where it is asked for, shows the addresses as one more network."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.hooks.conftest import message

ID = "c" * 64
SHOWN = (
    f'{{"Id":"{ID}","Big":12345678901234567890123,"NetworkSettings":{{"Networks":{{"x":{{}}}}}}}}'
)


@pytest.fixture
def attached(adapter, container):
    """A server that shows addresses, and has attached one container."""
    adapter.options = replace(adapter.options, show_addresses=True)
    container("WEAVE_CIDR=10.2.1.5/24,10.3.1.5/16,fd00::5/64")
    with adapter.kept():
        adapter.start()
        yield adapter


def inspected(adapter, body: str | None = SHOWN, code: int = 200) -> str | None:
    request = {"Method": "GET", "Request": "/v1.41/containers/a/json?size=1", "Body": None}
    response = {"ContentType": "application/json", "Body": body, "Code": code}
    answer = adapter.post(message("post-hook", request, ServerResponse=response))
    assert answer.status_code == 200, answer.text
    found: str | None = answer.json()["ModifiedServerResponse"]["Body"]
    return found


def networks(text: str | None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text or "")["NetworkSettings"]["Networks"]
    return found


def test_the_addresses_are_shown_beside_the_engines_own(attached):
    text = inspected(attached)
    assert '"Big":12345678901234567890123' in (text or "")
    assert networks(text)["x"] == {}
    weave = networks(text)["weave"]
    assert (weave["IPAddress"], weave["IPPrefixLen"]) == ("10.2.1.5", 24)
    assert (weave["GlobalIPv6Address"], weave["GlobalIPv6PrefixLen"]) == ("fd00::5", 64)
    assert weave["DriverOpts"] == {"weavewait.addresses": "10.2.1.5/24 10.3.1.5/16 fd00::5/64"}


def test_it_is_off_by_default(attached):
    attached.options = replace(attached.options, show_addresses=False)
    assert inspected(attached) == SHOWN


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (SHOWN.replace("c" * 64, "d" * 64), 200),
        (SHOWN.replace('"x"', '"weave"'), 200),
        (SHOWN, 404),
        (None, 200),
        ("[]", 200),
        ('{"Id": 5}', 200),
        (f'{{"Id": "{ID}", "NetworkSettings": 5}}', 200),
    ],
)
def test_what_is_not_attached_or_otherwise_odd_is_passed_on(attached, body, code):
    assert inspected(attached, body, code) == body
