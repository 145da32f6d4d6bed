"""The map of the rooms is kept: who may import whom, read from the sources themselves."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "waitforweave"

# The gate's pure pieces are for everybody: the grammar of WEAVE_CIDR, and of the options that
# labels stand for, which a create refuses in the gate's own words, and the framing of netlink. The
# rest of it is an island.
PURE = {
    "gate.weave_cidr",
    "gate.arguments",
    "gate.options",
    "gate.nlmsg",
    "gate.rtnl",
    "gate.uapi",
}
# What belongs to no room: the version, the kernel's calls that Python has not, a whole file.
FOR_ALL = {"__version__", "inotify", "whole_file"}
ARROWS: dict[str, set[str]] = {
    "gate": set(),
    "docker": set(),
    "attach": set(),
    "proxy": {"docker"},
    "hooks": {"attach", "docker"},
    "launch": {"docker"},
    # It looks at all of them, and nothing of them looks at it.
    "doctor": {"attach", "docker", "hooks", "launch", "proxy"},
    "cli": {"attach", "docker", "doctor", "hooks", "launch", "proxy"},
}


def rooms() -> list[str]:
    return sorted(path.parent.name for path in (ROOT / PACKAGE).glob("*/__init__.py"))


def imported(path: Path) -> set[str]:
    """The modules of ours that a file imports, without the package's name: "docker.url"."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.removeprefix(f"{PACKAGE}.") for name in names if name.startswith(f"{PACKAGE}.")}


def wrong_arrows(room: str, names: set[str]) -> set[str]:
    """Imports that lead out of a room to where they may not."""
    return {
        name
        for name in names
        if name.split(".")[0] not in FOR_ALL
        and name.split(".")[0] not in ARROWS[room] | {room}
        and not any(name == pure or name.startswith(f"{pure}.") for pure in PURE)
    }


def test_every_room_is_on_the_map():
    assert rooms() == sorted(ARROWS)


@pytest.mark.parametrize("room", sorted(ARROWS))
def test_imports_follow_the_arrows(room):
    wrong = {
        str(path.relative_to(ROOT)): bad
        for path in (ROOT / PACKAGE / room).rglob("*.py")
        if (bad := wrong_arrows(room, imported(path)))
    }
    assert wrong == {}


def test_a_wrong_arrow_would_be_seen():
    assert wrong_arrows("docker", {"hooks.app", "docker.url"}) == {"hooks.app"}
    assert wrong_arrows("attach", {"gate.weave_cidr.parse", "gate.loop.run"}) == {"gate.loop.run"}


@pytest.mark.parametrize("path", sorted((ROOT / PACKAGE).rglob("*.py")), ids=lambda p: p.name)
def test_no_module_is_longer_than_one_idea(path):
    assert len(path.read_text().splitlines()) <= 300
