"""The monitor where routes are wanted too: a third dump, and doubts."""

from __future__ import annotations

import pytest

from tests.unit.gate.facts import address, address_message, link, link_message, route, route_message
from tests.unit.gate.kernel import Kernel, asked, watching, watching_routes
from waitforweave.gate import uapi
from waitforweave.gate.monitor import WATCHING


def test_routes_are_asked_for_last_where_they_are_wanted() -> None:
    kernel = watching_routes()
    assert kernel.monitor.state == WATCHING
    assert kernel.routes() == [4]
    assert not kernel.monitor.in_doubt


def test_routes_are_followed() -> None:
    kernel = watching_routes()
    kernel.send(route_message(route("0.0.0.0/0", 2)))
    kernel.send(route_message(route("224.0.0.0/4", 2), 25))
    assert kernel.routes() == [0]


@pytest.mark.parametrize(
    "event",
    [
        link_message(link(2, flags=0)),
        link_message(link(2), 17),
        address_message(address("10.2.1.5/24", 2), 21),
        route_message(route("224.0.0.0/4", 3), flags=uapi.NLM_F_REPLACE),
    ],
    ids=["down", "gone", "address gone", "replaced"],
)
def test_what_may_have_taken_routes_along_leaves_them_in_doubt(event: bytes) -> None:
    kernel = watching_routes()
    kernel.send(event)
    assert kernel.monitor.in_doubt
    kernel.request = asked(kernel.monitor.start())
    kernel.dump_links("lo", "ethwe")
    kernel.dump_addresses()
    kernel.dump_routes()
    assert not kernel.monitor.in_doubt
    assert kernel.routes() == []


def test_what_happens_in_a_dump_leaves_a_doubt_behind_it() -> None:
    kernel = Kernel(with_routes=True)
    kernel.dump_links("lo", "ethwe")
    kernel.send(address_message(address("10.2.1.5/24", 2), 21))
    kernel.dump_addresses()
    kernel.dump_routes("224.0.0.0/4")
    assert kernel.monitor.in_doubt


def test_without_routes_nothing_is_in_doubt() -> None:
    kernel = watching()
    kernel.send(address_message(address("10.2.1.5/24", 2), 21))
    assert not kernel.monitor.in_doubt
