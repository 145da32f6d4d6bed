"""What is read of the host: rights, disk, routes and links."""

from __future__ import annotations

import os
from time import time
from typing import Any

import pytest
from pyroute2 import IPRoute

from waitforweave.doctor import host
from waitforweave.doctor.facts import Bridge, Disk, Unseen
from waitforweave.doctor.gather import moment, options_of


class Link(dict[str, Any]):
    """As pyroute2 gives one: fields by index, attributes by get_attr."""

    def __init__(self, name: str, index: int = 1, flags: int = 1, **attributes: Any) -> None:
        super().__init__(index=index, flags=flags)
        self.attributes = {"IFLA_IFNAME": name, **attributes}

    def get_attr(self, name: str) -> Any:
        return self.attributes.get(name)


def test_our_bridge_is_known_by_its_mark():
    ours = Link("weave", 7, IFLA_IFALIAS="weavewait")
    ports = [Link("a", 8, IFLA_MASTER=7), Link("b", 9, IFLA_MASTER=6)]
    assert host.bridge_of([Link("lo"), ours, *ports]) == Bridge("ours", True, 1)
    assert host.bridge_of([Link("weave", flags=0, IFLA_IFALIAS="weavewait")]).up is False
    assert host.bridge_of([Link("weave")]) == Bridge("foreign")
    assert host.bridge_of([Link("lo")]) == Bridge("absent")


def test_capabilities_are_those_of_the_process(tmp_path):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "status").write_text("Name:\ta\nCapEff:\t0000000000281000\n")
    assert host.capabilities(7, tmp_path) == frozenset({"NET_ADMIN", "SYS_PTRACE", "SYS_ADMIN"})
    (tmp_path / "7" / "status").write_text("CapEff:\t0000000000001000\n")
    assert host.capabilities(7, tmp_path) == frozenset({"NET_ADMIN"})
    assert isinstance(host.capabilities(8, tmp_path), Unseen)


def test_the_disk_is_that_of_the_folder_or_of_what_is_above_it(tmp_path):
    found = host.disk(tmp_path / "not" / "there")
    assert isinstance(found, Disk)
    assert found.path == str(tmp_path / "not" / "there")
    assert found.free > 0
    assert found.writable


def test_routes_are_all_but_the_default_and_our_own():
    with IPRoute() as ipr:
        links = list(ipr.get_links())
        found = dict(host.networks(ipr, links))
    assert "0.0.0.0/0" not in found
    assert "weave" not in found.values()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-01-01T00:00:00.500000123Z", 1_767_225_600),
        ("2026-01-01T02:00:00.500000123+02:00", 1_767_225_600),
        ("2026-01-01T00:00:00Z", 1_767_225_600),
    ],
)
def test_the_engines_time_is_read(text, seconds):
    assert moment(text) == pytest.approx(seconds, abs=0.6)


def test_an_engine_that_says_no_time_is_not_said_to_be_wrong():
    assert moment("") == pytest.approx(time(), abs=60)


def test_a_launchs_own_words_are_options_again():
    words = ("--mtu=1400", "--no-multicast-route", "--weave=/a=b", "--cni-path=/x:/y")
    options = options_of(words)
    assert (options.weave, options.cni_path) == ("/a=b", "/x:/y")
    assert str(options_of(("--cni-config=/n",)).cni_config) == "/n"


def test_the_kernel_is_asked_by_making_things():
    lacking = host.lacking()
    # As root on a machine that runs these tests at all, it can make both.
    assert lacking == () if os.geteuid() == 0 else isinstance(lacking, Unseen)
