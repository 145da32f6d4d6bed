"""What both bundles have in common: own loader, own libraries, the static launcher in front."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

BUILD = Path(__file__).resolve().parent
ROOT = BUILD.parent
CACHE = ROOT / ".cache" / "freeze"
DIST = ROOT / "dist"

LIBRARY = re.compile(r"(?:\S+ => )?(/\S+) \(0x")
LOADER = re.compile(r"/ld-linux[^/]*\.so\.\d+$")
# Files of the container's that loader and libc read whatever they are told. The locales are those
# of another libc, and ours may not understand them (nixpkgs#11631: it aborts).
LOADERS_FILES = [b"/etc/ld.so.preload"]
LIBCS_FILES = [b"/usr/lib/locale", b"/usr/share/locale"]


def finish(name: str, collected: Path, defines: list[str]) -> Path:
    """Make dist/NAME of what PyInstaller collected: loader, libraries and launcher added."""
    bundle = DIST / f".{name}"
    library = bundle / "lib"
    shutil.rmtree(bundle, ignore_errors=True)
    bundle.mkdir(parents=True)
    shutil.copytree(collected, library, symlinks=False)
    # The file that runs gives the process its name: in ps(1), and in `docker top`.
    loader = library / name
    add_libraries(library, loader)
    append_archive(library, loader)
    compile_launcher(bundle / name, defines)
    for path in bundle.rglob("*"):
        readable_for_all(path)
    return replaced(DIST / name, bundle)


def replaced(old: Path, new: Path) -> Path:
    """Put the new bundle where the old one is, at once: somebody may be using that."""
    away = old.with_name(f"{new.name}.old")
    if old.exists():
        old.rename(away)
    new.rename(old)
    shutil.rmtree(away, ignore_errors=True)
    return old


def add_libraries(library: Path, loader: Path) -> None:
    """All libraries that the bundle's own files want, libc too, and the loader."""
    for path in libraries_of(library):
        if LOADER.search(str(path)):
            shutil.copy(path, loader)
        elif not (library / path.name).exists():
            shutil.copy(path, library / path.name)
            subprocess.run(["strip", "--strip-unneeded", library / path.name], check=True)
    blind(loader, LOADERS_FILES)
    blind(library / "libc.so.6", LIBCS_FILES)


def blind(program: Path, paths: list[bytes]) -> None:
    """Let a program look elsewhere, in place: "/etc/ld.so.preload" is "/-etc/-ld.so.prelo"."""
    content = program.read_bytes()
    for path in paths:
        assert path in content, f"{program}: no {path!r} to replace"
        content = content.replace(path, path.replace(b"/", b"/-")[: len(path)])
    program.write_bytes(content)


def append_archive(library: Path, loader: Path) -> None:
    """The bootloader looks for its archive at the end of whatever /proc/self/exe is. That is the
    loader, whom what comes behind its sections does not concern."""
    archive = library / "bootloader.pkg"
    with loader.open("ab") as end:
        end.write(archive.read_bytes())
    archive.unlink()


def libraries_of(folder: Path) -> set[Path]:
    """What the dynamic linker would load for the files in `folder`, by their paths."""
    elves = [path for path in folder.rglob("*") if path.is_file() and is_elf(path)]
    said = subprocess.run(["ldd", *elves], capture_output=True, text=True, check=False).stdout
    missing = re.findall(r"(\S+) => not found", said)
    unknown = [name for name in missing if not list(folder.rglob(name))]
    assert not unknown, f"not found: {unknown}"
    return {Path(path) for path in LIBRARY.findall(said) if not Path(path).is_relative_to(folder)}


def is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def compile_launcher(target: Path, defines: list[str]) -> None:
    """build/launcher.c as a static program, by the compiler that comes from PyPI."""
    machine = platform.machine()
    words = [sys.executable, "-m", "ziglang", "cc", "-target", f"{machine}-linux-musl", "-static"]
    words += ["-Os", "-s", "-Wall", "-Wextra", "-Werror", *defines, str(BUILD / "launcher.c")]
    cache = str(ROOT / ".cache" / "zig")
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
    subprocess.run([*words, "-o", str(target)], env=environment, check=True)


def readable_for_all(path: Path) -> None:
    """Containers run as any user."""
    executable = path.is_dir() or path.stat().st_mode & 0o100
    path.chmod(0o755 if executable else 0o644)


def pyinstaller(spec: str, work: Path, given: str) -> Path:
    """Run PyInstaller on a spec; the folder that it collected. Its output shows only on failure."""
    words = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level=WARN"]
    words += [f"--workpath={work / 'work'}", f"--distpath={work / 'dist'}", str(BUILD / spec)]
    environment = {
        **os.environ,
        "WFW_FREEZE": given,
        # The same sources give the same bytes.
        "SOURCE_DATE_EPOCH": "0",
        "PYTHONHASHSEED": "0",
        "PYINSTALLER_CONFIG_DIR": str(CACHE / "pyinstaller"),
    }
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"freeze: PyInstaller failed on {spec}:\n{done.stdout}{done.stderr}")
    return work / "dist" / "lib"
