"""docs/doctor.md: its table has each line, and its examples are what is printed."""

from __future__ import annotations

import re
import textwrap
from dataclasses import replace
from pathlib import Path

from tests.unit.doctor.facts_of import FACTS, LAUNCH, NOTHING_LAUNCHED, URL, of_launch
from tests.unit.doctor.told import SEES, container, row
from waitforweave.cli.doctor import text_of as doctor_text
from waitforweave.cli.explain import text_of
from waitforweave.doctor.checks import checks
from waitforweave.doctor.explain import explain
from waitforweave.doctor.facts import NEEDS_ROOT, Client, Facts, Server
from waitforweave.doctor.story import Story

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "doctor.md").read_text()
IN_USE = "Unable to claim: address 10.2.1.5/24 already in use by 0123456789ab"


def test_the_table_has_each_line_in_its_order():
    failed = replace(FACTS, server=Server("0.1", True, ("a",)))
    seen = [of_launch(backend="weave"), failed, replace(FACTS, host=NEEDS_ROOT), NOTHING_LAUNCHED]
    names = {check.name for facts in seen for check in checks(facts)}
    rows = re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)
    assert set(rows) == names
    for facts in seen:
        said = [check.name for check in checks(facts)]
        assert said == [name for name in rows if name in said]


def block(beginning: str) -> str:
    (found,) = [
        textwrap.dedent(each)
        for each in re.findall(r"(?:^ {4}.*\n)+", TEXT, re.MULTILINE)
        if each.strip().startswith(beginning)
    ]
    return found.rstrip("\n")


def test_the_example_of_doctor_is_what_it_prints():
    past = Client("the docker client's default", URL)
    facts: Facts = replace(FACTS, client=past)
    shown = [check for check in checks(facts) if check.name in ("launch", "client")]
    assert doctor_text(shown).split() == block("ok ").split()


def test_the_example_of_explain_is_what_it_prints():
    failed = row("failed", None, IN_USE)
    story = Story(container("WEAVE_CIDR=10.2.1.5/24"), (), LAUNCH, failed, SEES)
    assert text_of(explain(story, URL)) == block("container  web")
