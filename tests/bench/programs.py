"""The programs that the benches start: the gate, and those in C, made here."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".cache"
BUNDLE = ROOT / "dist" / "wait-for-weave"
FROZEN = BUNDLE / "wait-for-weave"
TOOL = ROOT / "dist" / "weavewait"


def built(name: str) -> str:
    """NAME.c, from beside this file, as a static program, by the compiler that comes from PyPI."""
    source, program = HERE / f"{name}.c", CACHE / name
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        CACHE.mkdir(exist_ok=True)
        compiler = [sys.executable, "-m", "ziglang", "cc"]
        target = ["-static", "-O2", "-target", f"{platform.machine()}-linux-musl"]
        cache = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(CACHE / "zig")}
        subprocess.run([*compiler, *target, "-o", program, source], check=True, env=cache)
    return str(program)


def as_after_boot(folder: Path) -> None:
    """Take the files out of the page cache: what is read back on demand lies in single pages there,
    as the files of the interpreter do that we compare with.
    """
    for path in folder.rglob("*"):
        if path.is_file():
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            os.fsync(fd)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(fd)


def fresh_copy(bundle: Path, folder: str) -> list[str]:
    """The gate of a copy in `folder`, as the engine copies it to fill the volume. What was just
    written lies in large folios, each of which costs exec's tear-down as much as a single page.
    """
    shutil.copytree(bundle, folder, dirs_exist_ok=True)
    return [str(Path(folder) / FROZEN.name)]
