"""docs/errors.md has each error message of the source, and no other."""

from __future__ import annotations

import re

import pytest

from tests.support.messages import ROOT, messages, messages_of, shown

TEXT = (ROOT.parent / "docs" / "errors.md").read_text()
ROW = re.compile(r"^\| `([^`]+)` \| (.+) \| (.+) \|$", re.MULTILINE)
FOUND = messages()


def sections() -> dict[str, str]:
    """The text under each heading, by its room: "## gate: ..."."""
    parts = re.split(r"^## (\w+).*$", TEXT, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_each_part_has_a_section():
    assert set(sections()) == set(FOUND)


@pytest.mark.parametrize("room", sorted(FOUND))
def test_the_docs_have_each_message_and_no_other(room):
    rows = [message for message, _, _ in ROW.findall(sections()[room])]
    assert sorted(rows) == sorted(FOUND[room])


@pytest.mark.parametrize("room", sorted(FOUND))
def test_no_row_is_broken(room):
    """A row that the pattern does not take would be no row to the test above."""
    lines = [line for line in sections()[room].splitlines() if line.startswith("|")]
    assert len(lines) == len(FOUND[room]) + 2


SOURCE = """
import logging
log = logging.getLogger()
HINTS = {1: "is a hint"}
def one(path, error):
    reason = f"{path} is gone"
    if error:
        reason = f"{path} is bad"
    log.info("not %s", path)
    log.warning("beware of %s", path)
    log.log(path, "%s: ended", path)
    other.error("not this")
    try:
        raise HookError(400, reason)
    except KeyError:
        raise OSError(f"{path} has no errno")
    except OSError:
        raise LaunchError("this " "too") from error
    raise LaunchError(f"{path}: {error}")
def three(paths):
    problems: dict[str, str] = {}
    for path in paths:
        problems[path] = f"{path} is one"
    raise LaunchError(*problems.values())
def four(paths):
    raise LaunchError(*(f"{path} is of many" for path in paths))
def two(log):
    log.say("ready", "not this")
    log.say("timeout", f"late{'' if log else 's'}")
    given.wrong("not this", "is odd", "nor this")
"""


def test_the_rule_finds_what_a_person_may_read(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.support.messages.ROOT", tmp_path)
    (tmp_path / "a.py").write_text(SOURCE)
    assert set(messages_of(tmp_path / "a.py")) == {
        *("is a hint", "... is gone", "... is bad", "beware of ...", "this too", "late..."),
        *("is odd", "...: ended", "... has no errno", "... is one", "... is of many"),
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("weavewait: ab  cd\nef", "ab cd ef"),
        ("weavewait proxy: it is", "it is"),
        ("......: it is", "...: it is"),
        ("weavewait: ...: ...", ""),
    ],
)
def test_a_message_is_one_line_without_what_all_have(text, line):
    assert shown(text) == line
