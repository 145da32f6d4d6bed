"""The engine's events: whole, each once, and what they mean."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from waitforweave.hooks.feed import OVERLAP_NS, Feed, Meaning, path

# As engine 20.10 sends one.
START = (
    b'{"status":"start","id":"c1","from":"i","Type":"container","Action":"start","Actor":{"ID":"c1",'
    b'"Attributes":{"image":"i","name":"a"}},"scope":"local","time":1700000000,'
    b'"timeNano":1700000000123456789}\n'
)
NOW = 1_700_000_000_123_456_789


def event(action: str, at: int, container: str = "c1", kind: str = "container") -> bytes:
    value = {"Type": kind, "Action": action, "Actor": {"ID": container}, "timeNano": at}
    return json.dumps(value).encode() + b"\n"


def actions(feed: Feed, *chunks: bytes) -> list[str]:
    return [each.Action for chunk in chunks for each in feed.read(chunk)]


def test_an_engines_own_event_is_read():
    (found,) = Feed().read(START)
    assert (found.Actor.ID, found.meaning, found.timeNano) == ("c1", Meaning.ATTACH, NOW)


@given(st.integers(0, len(START) * 2))
def test_any_cut_gives_the_same_events(cut):
    both = START + event("die", NOW + 1)
    assert actions(Feed(), both[:cut], both[cut:]) == ["start", "die"]


@given(st.lists(st.binary()))
def test_no_bytes_are_an_error(chunks):
    for chunk in chunks:
        list(Feed().read(chunk))


def test_a_network_that_a_container_is_connected_to_says_that_it_is_coming():
    value = {"Type": "network", "Action": "connect", "timeNano": NOW}
    actor = {"ID": "n1", "Attributes": {"container": "c1", "name": "bridge"}}
    (found,) = Feed().read(json.dumps({**value, "Actor": actor}).encode() + b"\n")
    assert (found.meaning, found.container) == (Meaning.COMING, "c1")


def test_two_containers_that_are_connected_at_once_are_two_events():
    feed = Feed()
    for container in ("c1", "c2"):
        actor = {"ID": "n1", "Attributes": {"container": container}}
        value = {"Type": "network", "Action": "connect", "Actor": actor, "timeNano": NOW}
        assert [each.container for each in feed.read(json.dumps(value).encode() + b"\n")] == [
            container
        ]


def test_what_asks_nothing_of_us_is_skipped():
    odd = event("exec_start: sh", NOW) + event("start", NOW, kind="network") + b"[]\n\n5\n{\n\xff\n"
    assert actions(Feed(), odd + event("unpause", NOW)) == ["unpause"]


def test_an_event_that_comes_again_by_the_overlap_is_dropped():
    feed = Feed()
    assert actions(feed, START, event("die", NOW + 5)) == ["start", "die"]
    feed.connected()
    assert actions(feed, START, event("die", NOW + 5), event("start", NOW + 9)) == ["start"]


def test_one_that_is_late_but_new_is_not():
    feed = Feed()
    assert actions(feed, event("start", NOW, "a"), event("start", NOW - 5, "b")) == [
        "start",
        "start",
    ]
    assert feed.last == NOW


def test_half_a_line_of_a_broken_connection_is_forgotten():
    feed = Feed()
    assert actions(feed, START[:40]) == []
    feed.connected()
    assert actions(feed, START) == ["start"]


def test_the_next_connection_begins_before_the_last_event():
    feed = Feed()
    assert feed.since is None
    list(feed.read(START))
    assert feed.since == NOW - OVERLAP_NS


def test_what_no_overlap_brings_again_takes_no_memory():
    feed = Feed()
    for second in range(1000):
        list(feed.read(event("start", NOW + second * 1_000_000_000)))
    assert len(feed._seen) <= 11


def test_the_call_names_what_we_want():
    query = parse_qs(urlsplit(path(NOW)).query)
    assert json.loads(query["filters"][0]) == {
        "type": ["container", "network"],
        "event": [
            *("connect", "create", "destroy", "die", "disconnect", "remove", "start", "unpause"),
        ],
    }
    assert query["since"] == ["1700000000.123456789"]
    assert "since" not in path(None)
