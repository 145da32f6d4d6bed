"""The model: interfaces by index, names looked up, addresses in any order of events."""

from __future__ import annotations

from tests.unit.gate.facts import address, link, route
from waitforweave.gate.links import Links
from waitforweave.gate.routes import Route
from waitforweave.gate.rtnl import Address, Gone, Link


def model(*events: Link | Address | Route | Gone) -> Links:
    links = Links()
    for event in events:
        links.update(event)
    return links


def texts(links: Links, index: int = 3) -> list[str]:
    return [a.text for a in links.addresses(index)]


def test_nothing_is_known_at_first() -> None:
    links = model()
    assert links.selected("ethwe") == []
    assert list(links.all()) == []
    assert texts(links) == []


def test_an_interface_is_found_by_its_name() -> None:
    links = model(link(3, "ethwe"), link(1, "lo"))
    (found,) = links.selected("ethwe")
    assert found.index == 3
    assert links.selected("eth") == []
    assert [one.name for one in links.all()] == ["lo", "ethwe"]
    assert [one.name for one in links.selected("*")] == ["lo", "ethwe"]


def test_the_newest_flags_count() -> None:
    (found,) = model(link(flags=0), link(flags=1)).selected("ethwe")
    assert found.flags == 1


def test_a_renamed_interface_is_found_by_its_new_name_alone() -> None:
    links = model(link(3, "veth1"), address("10.2.1.5/24"), link(3, "ethwe"))
    assert links.selected("veth1") == []
    assert len(links.selected("ethwe")) == 1
    assert texts(links) == ["10.2.1.5/24"]


def test_a_deleted_interface_takes_its_addresses_along() -> None:
    links = model(link(), address("10.2.1.5/24"), Gone(link()), link())
    assert len(links.selected("ethwe")) == 1
    assert texts(links) == []


def test_an_interface_made_again_has_another_index() -> None:
    links = model(link(3), address("10.2.1.5/24", 3), Gone(link(3)), link(9))
    (found,) = links.selected("ethwe")
    assert found.index == 9
    assert texts(links, 9) == []


def test_an_address_may_come_before_its_interface() -> None:
    assert texts(model(address("10.2.1.5/24"), link())) == ["10.2.1.5/24"]


def test_addresses_of_other_interfaces_are_kept_apart() -> None:
    links = model(link(), link(4, "eth0"), address("10.2.1.5/24", 4))
    assert texts(links, 3) == []
    assert texts(links, 4) == ["10.2.1.5/24"]


def test_an_address_told_again_has_its_new_flags() -> None:
    links = model(address("2001:db8::5/64", flags=0xC0), address("2001:db8::5/64", flags=0x80))
    assert [a.flags for a in links.addresses(3)] == [0x80]


def test_addresses_differ_by_prefix_length_and_family() -> None:
    cidrs = ["10.2.1.5/24", "10.2.1.5/16", "10.2.1.6/24", "2001:db8::5/64"]
    assert texts(model(*(address(cidr) for cidr in cidrs))) == cidrs


def test_a_deleted_address_is_gone() -> None:
    links = model(address("10.2.1.5/24"), address("10.2.1.6/24"), Gone(address("10.2.1.5/24")))
    assert texts(links) == ["10.2.1.6/24"]


def test_an_ipv4_address_is_there_once_for_each_peer() -> None:
    peers = [address("10.9.0.1/32", peer=peer) for peer in ("10.9.0.2", "10.9.0.3")]
    links = model(*peers, Gone(address("10.9.0.1/32", peer="10.9.0.2")))
    assert texts(links) == ["10.9.0.1/32"]


def test_an_ipv6_address_may_get_another_peer() -> None:
    peers = [address("2001:db8::1/128", peer=peer) for peer in ("2001:db8::2", "2001:db8::3")]
    assert texts(model(*peers)) == ["2001:db8::1/128"]


def test_routes_come_and_go() -> None:
    multicast = route("224.0.0.0/4", 3)
    links = model(multicast, route("10.2.1.0/24", 3), Gone(route("10.2.1.0/24", 3)))
    assert list(links.routes_by_key.values()) == [multicast]


def test_routes_differ_by_metric_and_interface() -> None:
    routes = [route("0.0.0.0/0", 3), route("0.0.0.0/0", 4), route("0.0.0.0/0", 3, priority=9)]
    assert list(model(*routes).routes_by_key.values()) == routes


def test_what_was_never_there_can_go() -> None:
    links = model(
        Gone(link()), Gone(address("10.2.1.5/24")), Gone(route("10.2.1.0/24", 3)), Gone(link())
    )
    assert list(links.all()) == []
    assert texts(links) == []
