"""python -m build.release [DIR]: all that a release consists of, into dist/release/ or DIR.

Wheel, sdist, the gate's tarball, the image as `docker load` takes it, and SHA256SUMS. The same
commit gives the same bytes; nothing is fetched.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from build import platforms, tarball, version
from build.bundle import DIST, ROOT
from build.progress import timed
from waitforweave import __version__

SUMS = "SHA256SUMS"
NAME = f"weavewait:{__version__}"


def main(words: list[str]) -> None:
    folder = Path(words[0]) if words else DIST / "release"
    os.umask(0o022)
    with TemporaryDirectory(prefix=".release.", dir=DIST) as made:
        for what, step in STEPS.items():
            timed("release", what, partial(step, Path(made)))
        # Whole or not at all: a step that fails leaves the release before.
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(made, folder)
    for path in sorted(folder.iterdir()):
        print(f"    {path.stat().st_size / 1e6:6.2f} MB  {path.name}")


def run(*words: str | Path, **variables: str) -> None:
    """A program, heard only if it fails."""
    try:
        done = subprocess.run(
            words, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False
        )
    except OSError as error:
        sys.exit(f"release: {words[0]}: {error.strerror}")
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}release: {' '.join(map(str, words))} failed")


def packages(folder: Path) -> None:
    """Wheel and sdist, by the build backend that is installed here already."""
    python = Path(sys.executable)
    date = str(version.source_date())
    words = ["-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", str(folder)]
    run(python, *words, SOURCE_DATE_EPOCH=date)
    run(python, "-m", "twine", "check", "--strict", *folder.iterdir())


def gate(folder: Path) -> None:
    tarball.write(folder)


def image(folder: Path) -> None:
    """What Dockerfile.volume says, built without an engine, and with the commit's date."""
    target = folder / f"weavewait-{__version__}-{platforms.here().name}.image.tar"
    with TemporaryDirectory() as store:
        # vfs and chroot: no kernel feature is needed, and nothing outside of the folder is touched.
        buildah = ["buildah", "--root", f"{store}/root", "--runroot", f"{store}/run"]
        buildah += ["--storage-driver", "vfs"]
        arguments = [f"VERSION={__version__}", f"REVISION={version.revision()}"]
        words = [
            "bud",
            "--identity-label=false",
            "--isolation",
            "chroot",
            "--timestamp",
            str(version.source_date()),
        ]
        words += [word for argument in arguments for word in ("--build-arg", argument)]
        words += ["--file", str(ROOT / "Dockerfile.volume"), "--tag", NAME]
        run(*buildah, *words, DIST)
        run(*buildah, "push", NAME, f"docker-archive:{target}:{NAME}")
    with target.open("rb") as plain, gzip.GzipFile(f"{target}.gz", "wb", 9, mtime=0) as zipped:
        shutil.copyfileobj(plain, zipped)
    target.unlink()


def sums(folder: Path) -> None:
    lines = [tarball.sum_of(path) for path in sorted(folder.iterdir())]
    (folder / SUMS).write_text("".join(lines))


STEPS = {"wheel and sdist": packages, "tarball": gate, "image": image, "checksums": sums}

if __name__ == "__main__":
    main(sys.argv[1:])
