"""What a launch is, as values."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace

import pytest
import yaml

from waitforweave.launch.settings import (
    LaunchError,
    Settings,
    adapters_yml,
    engine_key,
    proxy_words,
    serve_words,
)

ONE = Settings("unix:///a.sock", ("unix:///b/c.sock",), "bridge", "10.32.0.0/12", "weavewait:1")


def test_a_label_gives_the_same_settings_back():
    assert Settings.from_label(ONE.to_label()) == ONE


def test_differences_name_what_is_and_what_was_wanted():
    other = Settings("unix:///a.sock", ("tcp://127.0.0.1:1",), "bridge", "10.0.0.0/8", ONE.image)
    assert ONE.differences(other) == (
        "listen is unix:///b/c.sock, not tcp://127.0.0.1:1; subnet is 10.32.0.0/12, not 10.0.0.0/8"
    )
    assert ONE.differences(ONE) == ""
    gating = replace(ONE, gate_all=True)
    assert ONE.differences(gating) == "gate-all is off, not on"


def test_words_of_the_network_are_part_of_a_launch():
    other = dataclasses.replace(ONE, network=("--mtu=1376",))
    assert Settings.from_label(other.to_label()) == other
    assert ONE.differences(other) == "network is none, not --mtu=1376"


def test_a_label_from_before_there_were_such_words_is_read():
    values = json.loads(ONE.to_label())
    del values["network"]
    assert Settings.from_label(json.dumps(values)) == ONE


def test_a_label_of_a_newer_version_is_read():
    values = json.loads(ONE.to_label())
    assert Settings.from_label(json.dumps(values | {"unheard-of": True})) == ONE


def test_what_makes_the_network_is_all_that_a_replacement_has_to_keep():
    others = replace(ONE, listen=(), image="weavewait:2", hold_exec=True, page="tcp://[::1]:1")
    assert ONE.same_network(others)
    for changed in (
        replace(ONE, engine="unix:///b"),
        replace(ONE, backend="cni"),
        replace(ONE, subnet="10.0.0.0/8"),
        replace(ONE, network=("--mtu=1",)),
    ):
        assert not ONE.same_network(changed)


def test_the_page_is_where_it_was_asked_for_and_nowhere_else():
    paged = replace(ONE, page="tcp://127.0.0.1:8008")
    assert "--page=tcp://127.0.0.1:8008" in serve_words(paged, "unix:///h.sock", "/s")
    assert not [word for word in serve_words(ONE, "unix:///h.sock", "/s") if "page" in word]
    assert ONE.differences(paged) == "page is none, not tcp://127.0.0.1:8008"
    assert Settings.from_label(paged.to_label()) == paged


def test_engines_have_folders_of_their_own():
    assert engine_key("unix:///a.sock") != engine_key("unix:///b.sock")
    assert engine_key("unix:///a.sock").isalnum()


def test_adapters_yml_hooks_both_forms_of_each_path():
    config = yaml.safe_load(adapters_yml(ONE, "unix:///run/h.sock"))
    assert config["version"] == 1
    assert config["adapters"] == {"weave": "unix:///run/h.sock"}
    assert config["endpoints"] == {
        "POST /*/containers/create": {"pre": ["weave"]},
        "POST /containers/create": {"pre": ["weave"]},
        "POST /*/containers/*/start": {"post": ["weave"]},
        "POST /containers/*/start": {"post": ["weave"]},
        "POST /*/containers/*/restart": {"post": ["weave"]},
        "POST /containers/*/restart": {"post": ["weave"]},
    }


def test_what_is_asked_for_is_hooked_and_told_to_the_server():
    more = replace(ONE, hold_exec=True, gate_all=True, show_addresses=True)
    endpoints = yaml.safe_load(adapters_yml(more, "unix:///run/h.sock"))["endpoints"]
    assert endpoints["POST /*/containers/*/exec"] == {"pre": ["weave"]}
    assert endpoints["GET /containers/*/json"] == {"post": ["weave"]}
    words = serve_words(more, "unix:///run/h.sock", "/state")
    assert words[-3:] == ["--hold-exec", "--gate-all", "--show-addresses"]
    assert "--gate-all" not in serve_words(ONE, "unix:///run/h.sock", "/state")
    assert Settings.from_label(more.to_label()) == more
    assert "gate-all is on, not off" in more.differences(ONE)


def test_each_listener_is_told_to_the_proxy():
    words = proxy_words(ONE, "/x/adapters.yml")
    assert words == [
        "proxy",
        "--engine=unix:///a.sock",
        "--config=/x/adapters.yml",
        "--listen=unix:///b/c.sock",
    ]


def test_its_own_proxy_is_no_engine_but_where_it_was_to_listen_at_the_engine_itself():
    with pytest.raises(LaunchError, match=r"its engine: --engine unix:///a\.sock"):
        ONE.require_engine("unix:///b/c.sock")
    ONE.require_engine("unix:///a.sock")
    replace(ONE, listen=("unix:///a.sock",)).require_engine("unix:///a.sock")
