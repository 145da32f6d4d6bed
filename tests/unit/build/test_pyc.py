"""build/pyc.py: the same program without what nobody reads."""

from __future__ import annotations

import marshal

import pytest

from build import pyc

SOURCE = b'''"""A docstring."""
from __future__ import annotations
import sys

class Facts:
    """Another."""
    count: int
    name: str = "ethwe"

    def __init__(self, index: int, *rest: str, flags: int = 7, **more: object) -> None:
        self.index: int = index
        self.more: dict[str, object] = more

def told(facts: Facts) -> str:
    def inner(number: int) -> int:
        return number + 1
    assert False
    return f"{facts.name} {inner(facts.index)}"

STATE: Final = told(Facts(4, x=1))
'''
HEAD_BYTES = 16


def executed(compiled: bytes) -> dict[str, object]:
    space: dict[str, object] = {"__name__": "facts"}
    exec(marshal.loads(compiled[HEAD_BYTES:]), space)
    return space


def test_it_does_what_it_did() -> None:
    assert executed(pyc.compiled(SOURCE, "a.facts"))["STATE"] == "ethwe 5"


@pytest.mark.parametrize("name", ["told", "Facts"])
def test_annotations_and_docstrings_are_gone(name: str) -> None:
    made = executed(pyc.compiled(SOURCE, "a.facts"))[name]
    assert made.__doc__ is None
    assert getattr(made, "__annotations__", {}) == {}


def test_what_is_no_annotation_stays() -> None:
    facts = executed(pyc.compiled(SOURCE, "a.facts"))["Facts"]
    made = facts(3, flags=9)  # type: ignore[operator]
    assert (made.index, made.more, made.name) == (3, {}, "ethwe")


def test_no_path_of_this_machine_is_in_it() -> None:
    code = marshal.loads(pyc.compiled(SOURCE, "a.facts")[HEAD_BYTES:])
    assert code.co_filename == "a/facts.py"
