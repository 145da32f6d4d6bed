"""python -m tests.engines [NAME...]: the tests of other engines, and a table of how they went."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.engines.roots import RootError, ensure
from tests.support.engines import KINDS, REPOSITORY, named

TESTS = (
    *("tests/docker/proxy", "tests/docker/main", "tests/engines"),
    "tests/docker/hooks/test_watcher_on_engine.py",
)
# What an engine answers may differ there; full disks and killed servers are the same anywhere.
HOOKS = ("matrix", "env_on_engine", "odd_bodies", "options_on_engine")
# They look closely at what is Docker's own.
ON_DOCKER = (
    *(f"tests/docker/hooks/test_{name}.py" for name in (*HOOKS, "engine_restarted")),
    "tests/docker/launch",
    "tests/docker/demo/test_demo.py::test_on_a_machine_without_an_engine",
)


@dataclass(frozen=True)
class Outcome:
    """How one engine's tests went; `skipped` counts by reason."""

    engine: str
    passed: int
    failed: list[str]
    skipped: Counter[str]

    @property
    def good(self) -> bool:
        return self.passed > 0 and not self.failed


def main(names: list[str]) -> int:
    try:
        kinds = {name: named(name) for name in names or [name for name in KINDS if name != "local"]}
        # docker-compose 1.29 comes from there, whatever the engine.
        for suite in {"bookworm", *(kind.suite for kind in kinds.values())} - {None}:
            ensure(str(suite))
        outcomes = [tested(name) for name in kinds]
    except (KeyError, RootError) as error:
        print(f"engines: {error.args[0]}", file=sys.stderr)
        return 2
    print("\n" + "\n".join(table(outcomes)))
    return 0 if all(outcome.good for outcome in outcomes) else 1


def tested(name: str) -> Outcome:
    """pytest against this engine."""
    print(f"engines: {name}", flush=True)
    tests = TESTS if named(name).podman else TESTS + ON_DOCKER
    with tempfile.TemporaryDirectory(prefix="wfw-engines-") as folder:
        report = Path(folder) / "report.xml"
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *tests],
            cwd=REPOSITORY,
            env={**os.environ, "WFW_TEST_ENGINE": name},
            check=False,
        )
        return read(name, report.read_text() if report.exists() else "<testsuites/>")


def read(engine: str, report: str) -> Outcome:
    """JUnit's XML, as pytest writes it."""
    passed, failed, skipped = 0, list[str](), Counter[str]()
    for case in ET.fromstring(report).iter("testcase"):
        kinds = {child.tag: child for child in case}
        if "failure" in kinds or "error" in kinds:
            failed.append(f"{case.get('classname')}::{case.get('name')}")
        elif "skipped" in kinds:
            skipped[kinds["skipped"].get("message", "")] += 1
        else:
            passed += 1
    return Outcome(engine, passed, failed, skipped)


def table(outcomes: list[Outcome]) -> list[str]:
    """A line an engine; below it what failed, and why others were skipped."""
    lines = [f"{'engine':<18}{'passed':>8}{'failed':>8}{'skipped':>9}"]
    for each in outcomes:
        skips = each.skipped.total()
        lines.append(f"{each.engine:<18}{each.passed:>8}{len(each.failed):>8}{skips:>9}")
        lines += [f"    failed: {name}" for name in each.failed]
        lines += [f"    skipped {count}: {why}" for why, count in each.skipped.most_common()]
    return lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
