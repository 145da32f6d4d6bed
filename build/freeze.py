"""python -m build.freeze: dist/wait-for-weave/ (the gate) and dist/weavewait/ (the operator's)."""

from __future__ import annotations

import importlib.util
import json
import py_compile
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PyInstaller.depend.bindepend import get_python_library_path

from build import bundle
from build.bundle import CACHE, ROOT

GATE_PACKAGE = "waitforweave.gate"
IMPORTED = re.compile(r"^import time: +\d+ \| +\d+ \| +(\S+)$", re.MULTILINE)
# Python looks these up before any code of ours runs.
ENCODINGS = ("encodings", "encodings.aliases", "encodings.utf_8")
# A module that the bootloader loads has no path, and a package needs one for what comes late.
MAIN = """import sys
sys.modules["waitforweave.gate"].__path__ = [sys.path[-1] + "/waitforweave/gate"]
from waitforweave.gate.__main__ import main
sys.exit(main())
"""


def main() -> None:
    timed("the gate", freeze_gate)
    timed("the operator's tool", freeze_tool)


def timed(what: str, step: Callable[[], Path]) -> None:
    print(f"freeze: {what} ...", end=" ", flush=True)
    begun = time.monotonic()
    folder = step()
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    where = folder.relative_to(ROOT)
    print(f"{where}/, {size:.1f} MB, {time.monotonic() - begun:.0f} s", flush=True)


def freeze_gate() -> Path:
    """The gate: its modules in the order of their import, and the few of Python's that it wants."""
    work = fresh(CACHE / "gate")
    early = imported_by([f"{GATE_PACKAGE}.__main__"])
    late = [name for name in imported_by(gate_modules()) if name not in early]
    modules = [(name, compiled(name, work)) for name in early if is_source(name)]
    # What is imported late, when something is wrong already, need not be loaded at each start.
    files = [as_file(name, work) for name in (*ENCODINGS, *late) if is_source(name)]
    extensions = [(f"{name}.so", origin(name)) for name in early + late if is_extension(name)]
    script = work / "main.py"
    script.write_text(MAIN)
    given = {"modules": modules, "extensions": extensions, "files": files}
    words = json.dumps({**given, "main": str(script), "libpython": str(libpython())})
    collected = bundle.pyinstaller("gate.spec", work, words)
    return bundle.finish("wait-for-weave", collected, ["-DGATE"])


def freeze_tool() -> Path:
    """The operator's tool: as PyInstaller does it, but for the loader and the libraries."""
    work = fresh(CACHE / "tool")
    collected = bundle.pyinstaller("tool.spec", work, "{}")
    return bundle.finish("weavewait", collected, [])


def gate_modules() -> list[str]:
    folder = ROOT / "waitforweave" / "gate"
    return [f"{GATE_PACKAGE}.{path.stem}" for path in sorted(folder.glob("[!_]*.py"))]


def imported_by(names: list[str]) -> list[str]:
    """All modules that importing these imports, in the order in which their imports end."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {', '.join(names)}"
    # What the interpreter imports before any code of ours is there without us.
    before = set(said_to_import("pass"))
    return [name for name in said_to_import(code) if name not in before]


def said_to_import(code: str) -> list[str]:
    """What a bare interpreter says that it imports for this code."""
    words = [sys.executable, "-I", "-S", "-X", "importtime", "-c", code]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stderr
    return IMPORTED.findall(said)


def origin(name: str) -> str:
    """The file of a module; "built-in" or "frozen" for one that is in libpython."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    return spec.origin or "built-in"


def is_source(name: str) -> bool:
    return origin(name).endswith(".py")


def is_extension(name: str) -> bool:
    return origin(name).endswith(".so")


def compiled(name: str, work: Path) -> str:
    """The module as .pyc without docstrings and asserts, and without paths of this machine."""
    target = work / "pyc" / f"{name}.pyc"
    py_compile.compile(
        origin(name),
        str(target),
        dfile=f"{name.replace('.', '/')}.py",
        doraise=True,
        optimize=2,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    return str(target)


def as_file(name: str, work: Path) -> tuple[str, str]:
    """A module that is imported from a file: its place in the bundle, and its .pyc."""
    place = name.replace(".", "/")
    if Path(origin(name)).name == "__init__.py":
        place += "/__init__"
    return f"{place}.pyc", compiled(name, work)


def libpython() -> Path:
    """The shared library of this interpreter."""
    path = get_python_library_path()
    assert path is not None, "no shared libpython: see build/need.sh"
    return Path(path)


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    main()
