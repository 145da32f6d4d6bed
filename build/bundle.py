"""What both bundles have in common: own loader, own libraries, the static launcher in front."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from build.platforms import Platform

BUILD = Path(__file__).resolve().parent
ROOT = BUILD.parent
CACHE = ROOT / ".cache" / "freeze"
DIST = ROOT / "dist"

LIBRARY = re.compile(r"(?:\S+ => )?(/\S+) \(0x")
# Files of the container's that loader and libc read whatever they are told. The locales are those
# of another libc, and ours may not understand them (nixpkgs#11631: it aborts).
LOADERS_FILES = [b"/etc/ld.so.preload"]
LIBCS_FILES = [b"/usr/lib/locale", b"/usr/share/locale"]
# All that a step of the freeze sees of the environment that make was started in. LD_LIBRARY_PATH:
# a Python in a place of its own may need it to run at all.
PASSED_ON = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "ZIG_GLOBAL_CACHE_DIR")
# The same sources give the same bytes: locale and hash seed decide what is interned when, and so
# which constants marshal writes as references.
FIXED = {
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "SOURCE_DATE_EPOCH": "0",
    "PYINSTALLER_CONFIG_DIR": str(CACHE / "pyinstaller"),
}


def environment(**more: str) -> dict[str, str]:
    """The environment of each step."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | FIXED | more


def finish(name: str, collected: Path, defines: list[str], platform: Platform) -> Path:
    """Make dist/NAME of what PyInstaller collected: loader, libraries and launcher added."""
    bundle = DIST / f".{name}"
    library = bundle / "lib"
    shutil.rmtree(bundle, ignore_errors=True)
    bundle.mkdir(parents=True)
    shutil.copytree(collected, library, symlinks=False)
    # The file that runs gives the process its name: in ps(1), and in `docker top`.
    loader = library / name
    add_libraries(library, loader, platform)
    append_archive(library, loader)
    compile_launcher(bundle / name, defines, platform)
    for path in (bundle, *bundle.rglob("*")):
        readable_for_all(path)
        assert not is_elf(path) or platform.is_program_of(header(path)), f"{path}: another machine"
    return replaced(DIST / name, bundle)


def replaced(old: Path, new: Path) -> Path:
    """Put the new bundle where the old one is, at once: somebody may be using that."""
    away = old.with_name(f"{new.name}.old")
    # What a freeze that was killed here left.
    shutil.rmtree(away, ignore_errors=True)
    if old.exists():
        old.rename(away)
    new.rename(old)
    shutil.rmtree(away, ignore_errors=True)
    return old


def add_libraries(library: Path, loader: Path, platform: Platform) -> None:
    """All libraries that the bundle's own files want, libc too, and the loader."""
    for path in libraries_of(library):
        if path.name == platform.loader:
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


def libraries_of(folder: Path) -> list[Path]:
    """What the dynamic linker would load for the files in `folder`, by their paths."""
    elves = sorted(path for path in folder.rglob("*") if is_elf(path))
    said = subprocess.run(
        ["ldd", *elves], env=environment(), capture_output=True, text=True, check=False
    ).stdout
    inside = {path.name for path in elves}
    missing = [name for name in not_found(said) if name not in inside]
    assert not missing, f"not found: {missing}"
    return [path for path in found(said) if not path.is_relative_to(folder)]


def found(said: str) -> list[Path]:
    """The files in what ldd(1) said, each once."""
    return [Path(path) for path in sorted(set(LIBRARY.findall(said)))]


def not_found(said: str) -> list[str]:
    return sorted(set(re.findall(r"(\S+) => not found", said)))


def header(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(20)


def is_elf(path: Path) -> bool:
    return path.is_file() and header(path).startswith(b"\x7fELF")


def compile_launcher(target: Path, defines: list[str], platform: Platform) -> None:
    """build/launcher.c as a static program, by the compiler that comes from PyPI."""
    cache = str(ROOT / ".cache" / "zig")
    caches = {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
    words = [sys.executable, "-m", "ziglang", *compiler_words(platform, defines)]
    words += [str(BUILD / "launcher.c"), "-o", str(target)]
    subprocess.run(words, env=caches | environment(), check=True)


def compiler_words(platform: Platform, defines: list[str]) -> list[str]:
    """For any of the platforms, on any of them."""
    words = ["cc", "-target", platform.launcher_target, "-static", "-Os", "-s"]
    return [*words, "-Wall", "-Wextra", "-Werror", *defines]


def readable_for_all(path: Path) -> None:
    """Containers run as any user."""
    executable = path.is_dir() or path.stat().st_mode & 0o100
    path.chmod(0o755 if executable else 0o644)


def pyinstaller(spec: str, work: Path, given: str) -> Path:
    """Run PyInstaller on a spec; the folder that it collected. Its output shows only on failure."""
    words = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level=WARN"]
    words += [f"--workpath={work / 'work'}", f"--distpath={work / 'dist'}", str(BUILD / spec)]
    done = subprocess.run(
        words, env=environment(WFW_FREEZE=given), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"freeze: PyInstaller failed on {spec}:\n{done.stdout}{done.stderr}")
    return work / "dist" / "lib"
