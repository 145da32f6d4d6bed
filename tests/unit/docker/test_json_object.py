"""Bodies as the engine reads them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waitforweave.docker.json_object import (
    MalformedError,
    NotAnObjectError,
    dump,
    get,
    get_object,
    parse,
    put,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@settings(deadline=None)
@given(st.dictionaries(st.text(), VALUES))
def test_what_is_parsed_and_dumped_means_the_same(value):
    assert json.loads(dump(parse(json.dumps(value)))) == value
    assert list(parse(json.dumps(value))) == list(value)


@pytest.mark.parametrize("value", ["1.50", "1e999", "-0", "9" * 5000, '"\\u00e9"', "[1 , 2]"])
def test_values_keep_their_text(value):
    text = f'{{"a":{value}}}'
    assert dump(parse(text)) == text


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (r"\ud800", "\ufffd"),
        (r"\udc00\ud800", "\ufffd\ufffd"),
        (r"\ud83d\ude00", "\U0001f600"),
        (r"\uD83D\uDE00", "\U0001f600"),
        (r"\\ud800", r"\ud800"),
        (r"\\\ud800", "\\\ufffd"),
        (r"\ud800\n", "\ufffd\n"),
    ],
)
def test_half_a_surrogate_pair_is_what_it_is_for_go(text, meant):
    assert get(parse(f'{{"a":"{text}"}}'), "a") == meant


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"a": NaN}', "[" * 9 + "]", '{"a":1}x'])
def test_what_is_no_object_is_refused(text):
    with pytest.raises(NotAnObjectError):
        parse(text)


def test_nesting_without_end_is_refused():
    with pytest.raises(NotAnObjectError, match="nested too deeply"):
        parse('{"a":' + "[" * 100_000 + "]" * 100_000 + "}")


def test_a_field_is_found_whatever_the_case_of_its_key():
    body = parse('{"cmd":["a"],"Image":"b"}')
    assert get(body, "Cmd") == ["a"]
    put(body, "Cmd", ["c"])
    assert dump(body) == '{"cmd":["c"],"Image":"b"}'


def test_of_several_keys_alike_the_last_counts_as_in_go():
    assert get({"Cmd": ["a"], "cmd": ["b"]}, "Cmd") == ["b"]


def test_an_object_within_is_read_in_its_turn():
    body = parse('{"HostConfig":{"a": 1.0},"b":null,"c":[]}')
    inner = get_object(body, "HostConfig")
    put(inner, "d", [1])
    put(body, "HostConfig", inner)
    assert dump(body) == '{"HostConfig":{"a":1.0,"d":[1]},"b":null,"c":[]}'
    assert get_object(body, "b") == {}
    assert get_object(body, "absent") == {}
    with pytest.raises(MalformedError, match="c: Expected `object"):
        get_object(body, "c")


def test_a_value_that_cannot_be_is_malformed_only_when_asked_for():
    body = parse('{"a":[1e999],"b":1}')
    assert get(body, "b") == 1
    with pytest.raises(MalformedError, match="a: Number out of range"):
        get(body, "a")
