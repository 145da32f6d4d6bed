"""Small C programs of the tests, by the compiler that is a Python package; kept in .cache/."""

from __future__ import annotations

import fcntl
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
SOURCES = Path(__file__).with_name("c")
MUSL = f"{platform.machine()}-linux-musl"
GLIBC = f"{platform.machine()}-linux-gnu"


def compiled(name: str, target: str = MUSL, *options: str) -> Path:
    """The program of tests/support/c/NAME.c: static, unless `options` say otherwise."""
    source = SOURCES / f"{name}.c"
    words = ["-target", target, "-O1", "-Wall", "-Wextra", *(options or ("-static",))]
    program = CACHE / "programs" / "-".join([name, target, *(o.strip("-") for o in options)])
    program.parent.mkdir(parents=True, exist_ok=True)
    with (CACHE / "programs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
            compiler = [sys.executable, "-m", "ziglang", "cc"]
            cache = str(CACHE / "zig")
            env = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
            made = program.with_name(f".{program.name}")
            subprocess.run([*compiler, *words, "-o", made, source], check=True, env=env)
            made.rename(program)
    return program
