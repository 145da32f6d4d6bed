"""The command before the gate: written, and read back from whatever stands there."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waitforweave.docker.create import GATE
from waitforweave.docker.json_object import MalformedError, dump, parse
from waitforweave.docker.original import (
    CMD_LABEL,
    ENTRYPOINT_LABEL,
    Original,
    is_wrapped,
    recall,
    remember,
    without_gate,
)

WORDS = st.lists(st.text(st.characters(exclude_categories=["Cs"])))


@given(WORDS, WORDS)
def test_what_is_remembered_is_recalled(entrypoint, cmd):
    body = parse('{"labels": {"a": "b", "weavewait.cmd": "mine", "n": null}}')
    remember(body, Original(entrypoint, cmd))
    labels = json.loads(dump(body))["labels"]
    assert (labels["a"], labels["n"]) == ("b", "")
    assert recall(labels) == (Original(entrypoint, cmd) if entrypoint + cmd else None)


@given(st.text(), st.text())
def test_no_label_is_an_error(entrypoint, cmd):
    recall({ENTRYPOINT_LABEL: entrypoint, CMD_LABEL: cmd})


@pytest.mark.parametrize("text", ["", "5", "{}", "[5]", "[", "[" * 100_000, "null"])
def test_what_is_no_list_of_words_is_nothing(text):
    assert recall({ENTRYPOINT_LABEL: text, CMD_LABEL: '["c"]'}) is None


@pytest.mark.parametrize("labels", ["5", '{"a": 5}', "[]"])
def test_labels_that_the_engine_refuses_are_its_own_to_refuse(labels):
    with pytest.raises(MalformedError):
        remember(parse(f'{{"Labels": {labels}}}'), Original([], ["c"]))


LABELS = {ENTRYPOINT_LABEL: '["e"]', CMD_LABEL: "[]"}


def test_an_image_is_as_it_was_only_if_the_gate_is_its_entrypoint():
    image = {"Entrypoint": [GATE], "Cmd": ["e"], "Labels": LABELS, "User": "u"}
    assert without_gate(image) == {**image, "Entrypoint": ["e"], "Cmd": []}
    other = {**image, "Entrypoint": ["other"]}
    assert without_gate(other) is other
    unlabelled = {**image, "Labels": None}
    assert without_gate(unlabelled) is unlabelled


def test_wrapped_is_the_gate_with_our_labels():
    assert is_wrapped({"Path": GATE, "Config": {"Labels": LABELS}})
    assert not is_wrapped({"Path": "sh", "Config": {"Labels": LABELS}})
    assert not is_wrapped({"Path": GATE, "Config": {"Labels": None}})
