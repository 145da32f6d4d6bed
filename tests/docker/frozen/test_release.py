"""`make release`: what it consists of, the same bytes twice, and that each part works."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from build import platforms, version
from tests.support.engine import PrivateEngine
from tests.support.launched import ROOT
from waitforweave import __version__

PLATFORM = platforms.here().name
WHEEL = f"wait_for_weave-{__version__}-py3-none-any.whl"
SDIST = f"wait_for_weave-{__version__}.tar.gz"
IMAGE = f"weavewait-{__version__}-{PLATFORM}.image.tar.gz"
NAMES = {"SHA256SUMS", WHEEL, SDIST, IMAGE, f"wait-for-weave-{__version__}-{PLATFORM}.tar.gz"}


def build(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """What `make release` runs, with variables of its own."""
    return subprocess.run(
        [sys.executable, "-m", "build.release", str(folder)],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release") / "made"
    done = build(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_it_is_complete_and_its_sums_are_right(release):
    assert {path.name for path in release.iterdir()} == NAMES
    words = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    said = subprocess.run(words, cwd=release, capture_output=True, text=True, check=True).stdout
    assert sorted(said.split()) == sorted([*(f"{n}:" for n in NAMES - {"SHA256SUMS"}), *["OK"] * 4])


def test_another_build_gives_the_same_bytes(release, tmp_path):
    before = os.umask(0o077)
    try:
        done = build(tmp_path / "again", TZ="Asia/Tokyo", LC_ALL="C", TMPDIR=str(tmp_path))
    finally:
        os.umask(before)
    assert done.returncode == 0, done.stderr
    for name in NAMES:
        assert (tmp_path / "again" / name).read_bytes() == (release / name).read_bytes(), name


def test_a_step_that_fails_leaves_the_release_before(tmp_path):
    (tmp_path / "kept").write_text("the release before")
    # Where there is git and no buildah.
    done = build(tmp_path, PATH=str(Path(sys.executable).parent))
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "buildah" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert not list((ROOT / "dist").glob(".release.*"))


def test_the_wheel_has_both_programs_and_their_manuals(release):
    with zipfile.ZipFile(release / WHEEL) as wheel:
        names = wheel.namelist()
        scripts = next(name for name in names if name.endswith("entry_points.txt"))
        assert wheel.read(scripts).decode().split("\n\n")[0].splitlines() == [
            "[console_scripts]",
            "wait-for-weave = waitforweave.gate.__main__:main",
            "weavewait = waitforweave.cli.main:main",
        ]
    ours = {path.relative_to(ROOT).as_posix() for path in (ROOT / "waitforweave").rglob("*.py")}
    assert ours <= set(names)
    data = f"wait_for_weave-{__version__}.data/data/share"
    assert {
        f"{data}/man/man1/wait-for-weave.1",
        f"{data}/bash-completion/completions/weavewait",
        f"{data}/zsh/site-functions/_weavewait",
        f"{data}/fish/vendor_completions.d/weavewait.fish",
    } <= set(names)
    assert not [name for name in names if name.startswith(("tests", "build"))]


def test_the_sdist_builds_the_same_wheel(release, tmp_path):
    with tarfile.open(release / SDIST) as sdist:
        sdist.extractall(tmp_path, filter="data")
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(
        words,
        cwd=tmp_path / SDIST.removesuffix(".tar.gz"),
        env=os.environ | {"SOURCE_DATE_EPOCH": str(version.source_date())},
        capture_output=True,
        check=True,
    )
    assert (tmp_path / WHEEL).read_bytes() == (release / WHEEL).read_bytes()


def test_the_image_is_the_one_that_make_image_builds(
    engine: PrivateEngine, volume_image: str, release: Path
):
    of_engine = described(engine, volume_image)
    try:
        assert f"weavewait:{__version__}" in engine.docker("load", "-i", str(release / IMAGE)).out
        name = engine.docker("tag", f"weavewait:{__version__}", "weavewait:released")
        assert name.code == 0
    finally:
        engine.docker("tag", volume_image, f"weavewait:{__version__}")
    released = described(engine, "weavewait:released")
    for key in ("Cmd", "Entrypoint", "Env", "Labels", "User", "Volumes", "WorkingDir"):
        assert (released["Config"].get(key) or None) == (of_engine["Config"].get(key) or None), key
    assert released["Architecture"] == of_engine["Architecture"]
    assert content(engine, "weavewait:released") == content(engine, volume_image)
    said = engine.docker("run", "--rm", "weavewait:released", "--version")
    assert said.out == f"weavewait, version {__version__}\n"
    engine.docker("rmi", "weavewait:released")


def described(engine: PrivateEngine, image: str) -> Any:
    return json.loads(engine.docker("image", "inspect", image).out)[0]


def content(engine: PrivateEngine, image: str) -> dict[str, tuple[int, bytes]]:
    """Mode and bytes of each of the image's own files."""
    container = engine.docker("create", image).out.strip()
    words = ["docker", "-H", engine.url, "cp", f"{container}:/", "-"]
    root = subprocess.run(words, capture_output=True, check=True).stdout
    engine.docker("rm", "-v", container)
    files = {}
    with tarfile.open(fileobj=io.BytesIO(root)) as tar:
        for entry in tar:
            name = entry.name.lstrip("./")
            if entry.isfile() and name.startswith(("opt", "home")):
                file = tar.extractfile(entry)
                assert file is not None
                files[name] = (entry.mode & 0o777, file.read())
    assert len(files) > 50
    return files
