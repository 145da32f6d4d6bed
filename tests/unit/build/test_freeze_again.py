"""The same sources, frozen by somebody else somewhere else at another time: the same bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from build import freeze as freezing

ROOT = Path(__file__).resolve().parents[3]
BUNDLES = ("wait-for-weave", "weavewait")
SOURCES = ("build", "waitforweave")
# What could make a difference, each unlike what make and CI have.
ELSEWHERE = {
    "TZ": "Asia/Kathmandu",
    "LC_ALL": "C",
    "LANG": "tr_TR.UTF-8",
    "PYTHONHASHSEED": "12345",
    "PYTHONOPTIMIZE": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "SOURCE_DATE_EPOCH": "1000000000",
    "USER": "somebody",
    # Compiling musl takes a minute, and is zig's own business.
    "ZIG_GLOBAL_CACHE_DIR": str(ROOT / ".cache" / "zig"),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The sources in another folder, with times and modes of their own."""
    folder: Path = tmp_path_factory.mktemp("elsewhere") / "an öther name"
    for name in SOURCES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored, copy_function=shutil.copyfile)
    return folder


@pytest.fixture(scope="module")
def made() -> Path:
    """dist/, from `make freeze`."""
    words = ["make", "--no-print-directory", "freeze"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return ROOT / "dist"


def freeze(folder: Path, *what: str) -> Path:
    words = [sys.executable, "-m", "build.freeze", *what]
    environment = {**os.environ, **ELSEWHERE, "HOME": str(folder)}
    done = subprocess.run(
        words, cwd=folder, env=environment, umask=0o077, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "dist"


def read(bundle: Path) -> dict[str, tuple[str, bytes]]:
    """All that a bundle consists of: names, types, modes, contents."""
    return {
        str(path.relative_to(bundle)): (
            f"{path.lstat().st_mode:o}",
            path.read_bytes() if path.is_file() else b"",
        )
        for path in [bundle, *bundle.rglob("*")]
    }


# A freeze of both, which takes a minute where nothing else runs.
@pytest.mark.timeout(900)
def test_two_freezes_differ_in_nothing(made, copy):
    again = freeze(copy)
    for name in BUNDLES:
        one, other = read(made / name), read(again / name)
        differing = [path for path in one.keys() | other.keys() if one.get(path) != other.get(path)]
        assert differing == [], name


@pytest.mark.parametrize("name", BUNDLES)
def test_no_file_knows_where_it_was_made(made, name):
    names = [os.fsencode(folder) for folder in (ROOT, ROOT.resolve())]
    for path, (_, content) in read(made / name).items():
        assert not [folder for folder in names if folder in content], path


def test_another_source_is_another_bundle(made, copy):
    """Or the tests above compare something that was not frozen from these sources."""
    with (copy / "waitforweave" / "gate" / "uapi.py").open("a") as source:
        source.write("ANOTHER = 1\n")
    one, other = read(made / BUNDLES[0]), read(freeze(copy, "gate") / BUNDLES[0])
    assert [path for path in one if one[path] != other[path]] == ["lib/wait-for-weave"]


def test_an_archive_has_its_modules_in_order_however_they_were_found(tmp_path):
    names = ["encodings/utf_8.pyc", "abc.pyc", "encodings/__init__.pyc", "locale.pyc"]
    contents = []
    for order in (names, names[::-1]):
        path = tmp_path / "base_library.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name in order:
                archive.writestr(name, name * 9)
        freezing.sort_archive(path)
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == sorted(names)
        assert archive.read("abc.pyc") == b"abc.pyc" * 9
