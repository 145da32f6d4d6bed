"""The gate is an island of cheap modules: each import is paid for at every container's start."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
GATE = ROOT / "waitforweave" / "gate"

# What linux.md found to cost next to nothing; array and fcntl come in only where netlink fails.
CHEAP = {"__future__", "_signal", "_socket", "errno", "posix", "select", "struct", "sys", "time"}
LATE = {"array", "fcntl"}
# What comes with those: struct is a shell of _struct.
LOADED = CHEAP | {"_struct", "waitforweave"}


def imports(tree: ast.AST) -> set[str]:
    """The modules that are imported when the program runs, not only for type checkers."""
    names: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            names |= imports(ast.Module(node.orelse, []))
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
        else:
            names |= imports(node)
    return names


def allowed(name: str) -> bool:
    return name in CHEAP | LATE or name.split(".")[:2] in (
        ["waitforweave"],
        ["waitforweave", "gate"],
    )


@pytest.mark.parametrize("path", sorted(GATE.glob("*.py")), ids=lambda path: path.name)
def test_the_gate_imports_nothing_but_itself_and_what_is_cheap(path: Path) -> None:
    assert [name for name in imports(ast.parse(path.read_text())) if not allowed(name)] == []


@pytest.mark.parametrize(
    "source",
    [
        "import json",
        "import os.path",
        "from waitforweave.docker import env",
        "def late():\n    import socket",
        "if TYPE_CHECKING:\n    import typing\nelse:\n    import signal",
    ],
)
def test_an_import_that_is_not_allowed_would_be_seen(source: str) -> None:
    assert [name for name in imports(ast.parse(source)) if not allowed(name)]


def test_what_only_type_checkers_import_is_free() -> None:
    assert imports(ast.parse("if TYPE_CHECKING:\n    import typing")) == set()


def loaded(statement: str) -> set[str]:
    """The modules that a bare interpreter has after `statement` and not before."""
    program = (
        "import sys; before = set(sys.modules); sys.path.insert(0, sys.argv[1])\n"
        f"{statement}\nprint(*(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, ROOT],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(done.stdout.split())


def test_loading_the_gate_loads_no_other_module() -> None:
    found = loaded("import waitforweave.gate.__main__")
    strangers = {name for name in found - LOADED if not name.startswith("waitforweave.gate")}
    assert strangers == set()
    assert "waitforweave.gate.loop" in found


@pytest.mark.parametrize(
    "module",
    [
        "arguments",
        "coercion",
        "explain",
        "globs",
        "hints",
        "install",
        "ioctls",
        "procfs",
        "routes",
        "usage",
        "values",
    ],
)
def test_what_is_for_odd_places_is_loaded_there(module: str) -> None:
    assert f"waitforweave.gate.{module}" not in loaded("import waitforweave.gate.__main__")


def test_a_module_that_is_not_allowed_would_be_seen() -> None:
    assert "json" in loaded("import json") - LOADED
