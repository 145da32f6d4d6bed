"""Our shell globs against the library's."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from waitforweave.gate import asked, globs


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("eth*", "eth0", True),
        ("eth*", "eth", True),
        ("eth*", "veth0", False),
        ("*", "lo", True),
        ("*eth*0", "vethwl0", True),
        ("*eth*0", "vethwl0x", False),
        ("eth?", "eth0", True),
        ("eth?", "eth", False),
        ("eth?", "eth10", False),
        ("eth[0-2]", "eth1", True),
        ("eth[0-2]", "eth3", False),
        ("eth[!0-2]", "eth3", True),
        ("eth[!0-2]", "eth1", False),
        ("eth[13]", "eth3", True),
        ("[et]*", "tun0", True),
        ("eth[", "eth[", True),
        ("e*h*0*", "eth0", True),
        ("", "", True),
        ("", "a", False),
    ],
)
def test_globs(pattern: str, name: str, matches: bool) -> None:
    assert globs.matches(pattern, name) is matches


@settings(deadline=None, max_examples=500)
@given(st.text("ab0*?", max_size=8), st.text("ab0", max_size=8))
@example("a*a*b", "aaab")
def test_stars_are_as_the_library_s(pattern: str, name: str) -> None:
    assert globs.matches(pattern, name) == fnmatch.fnmatchcase(name, pattern)


@settings(deadline=None, max_examples=500)
@given(st.text("ac-", min_size=1, max_size=4), st.booleans(), st.sampled_from("abcd-"))
def test_sets_are_as_the_library_s(chars: str, negated: bool, char: str) -> None:
    pattern = f"[{'!' if negated else ''}{chars}]x"
    assert globs.matches(pattern, f"{char}x") == fnmatch.fnmatchcase(f"{char}x", pattern)


def test_many_stars_take_no_time() -> None:
    assert not globs.matches("*a" * 500, "a" * 499)


@pytest.mark.parametrize(
    ("pattern", "name", "selected"),
    [("eth0", "eth0", True), ("eth0", "eth01", False), ("eth*", "eth01", True), ("*", "*", True)],
)
def test_a_name_that_is_no_glob_is_itself_alone(pattern: str, name: str, selected: bool) -> None:
    assert asked.selects(pattern, name) is selected
