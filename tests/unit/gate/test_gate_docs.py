"""docs/gate.md and --help say what the code does, of each option, variable, event and exit code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from waitforweave.gate import __main__ as gate
from waitforweave.gate import arguments, asked, execute, options
from waitforweave.gate.report import LABELS, Log
from waitforweave.gate.usage import USAGE

DOCS = (Path(__file__).resolve().parents[3] / "docs/gate.md").read_text()


def test_the_docs_show_the_help_as_it_is() -> None:
    assert "".join(f"    {line}".rstrip() + "\n" for line in USAGE.splitlines()) in DOCS


@pytest.mark.parametrize("option", [*arguments.SWITCHES, *arguments.WITH_VALUE])
def test_help_has_each_option(option: str) -> None:
    has_value = option in arguments.WITH_VALUE
    assert re.search(rf"--{option} [A-Z]+" if has_value else rf"--{option}\b[, ]*", USAGE)


def test_help_has_no_option_that_is_not_there() -> None:
    assert set(re.findall(r"--([a-z-]+)", USAGE)) == {*arguments.SWITCHES, *arguments.WITH_VALUE}


@pytest.mark.parametrize(
    "name", ["WEAVE_CIDR", "WAIT_FOR_SECONDS", "WAIT_FOR_WEAVE_SKIP", "WAIT_FOR_WEAVE_QUIT"]
)
def test_help_has_each_variable_of_its_own(name: str) -> None:
    assert f"\n  {name} " in USAGE


def table(heading: str) -> list[str]:
    """The first column of the first table under a heading."""
    section = DOCS.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [row.split("|")[1].strip() for row in section.splitlines() if row.startswith("| ")][1:]


def test_the_docs_have_each_exit_code() -> None:
    codes = {gate.OK, gate.NOT_READY, gate.USAGE, gate.GATE_FAILED}
    codes |= {execute.NOT_EXECUTABLE, execute.NOT_FOUND}
    said = {int(code) for cell in table("Exit codes") for code in re.findall(r"\d+", cell)}
    assert said == codes | {gate.SIGNALLED}


def test_the_docs_have_each_state() -> None:
    assert [cell for cell in table('What "ready" means') if cell.strip("`") in asked.STATES] == [
        f"`{state}`" for state in asked.STATES
    ]


def test_the_docs_have_each_key_and_event() -> None:
    line = Log(0.0).json("error", "", None, [])
    keys = [f"`{key}`" for key in re.findall(r'"(\w+)":', line)]
    assert table("What it says") == keys
    (row,) = [row for row in DOCS.splitlines() if row.startswith("| `event`")]
    source = Path(gate.__file__).with_name("report.py").read_text()
    (events,) = re.findall(r"Event = Literal\[([^]]+)\]", source)
    assert re.findall(r"`(\w+)`", row)[1:] == re.findall(r'"(\w+)"', events)
    for label in LABELS.values():
        assert f"`{label}`" in DOCS


def test_defaults_are_as_help_says() -> None:
    chosen = options.read([], {})
    assert f"({chosen.seconds:.0f})" in USAGE
    assert (chosen.asked.interfaces, chosen.asked.state) == (["ethwe"], "address")
    assert "several (ethwe)" in USAGE
    assert "before it (address)" in USAGE
