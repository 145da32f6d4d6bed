"""Bodies as the engine reads them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waitforweave.docker.json_object import NotAnObjectError, dump, get, parse, put

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@settings(deadline=None)
@given(st.dictionaries(st.text(), VALUES))
def test_what_is_parsed_and_dumped_means_the_same(value):
    assert json.loads(dump(parse(json.dumps(value)))) == value
    assert list(parse(json.dumps(value))) == list(value)


def test_big_integers_keep_their_size():
    assert dump(parse('{"Memory": 123456789012345678901}')) == '{"Memory":123456789012345678901}'


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"a": NaN}', "[" * 9 + "]", '{"a":1}x'])
def test_what_is_no_object_is_refused(text):
    with pytest.raises(NotAnObjectError):
        parse(text)


def test_nesting_without_end_is_refused():
    with pytest.raises(NotAnObjectError, match="nested too deeply"):
        parse('{"a":' + "[" * 100_000 + "]" * 100_000 + "}")


def test_a_field_is_found_whatever_the_case_of_its_key():
    body = {"cmd": ["a"], "Image": "b"}
    assert get(body, "Cmd") == ["a"]
    put(body, "Cmd", ["c"])
    assert body == {"cmd": ["c"], "Image": "b"}


def test_of_several_keys_alike_the_last_counts_as_in_go():
    assert get({"Cmd": ["a"], "cmd": ["b"]}, "Cmd") == ["b"]
