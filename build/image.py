"""python -m build.image: the volume image from dist/, as weavewait:VERSION and weavewait:latest, on
the engine that DOCKER_HOST names."""

from __future__ import annotations

import os
import subprocess
import sys

from build import version
from build.bundle import ROOT
from build.progress import timed
from waitforweave import __version__

NAMES = (f"weavewait:{__version__}", "weavewait:latest")


def main() -> None:
    answered = docker("version")
    if answered.returncode:
        place = os.environ.get("DOCKER_HOST", "its usual place")
        sys.exit(
            f"image: no Docker Engine answers at {place} ({answered.stderr.strip()}); start one, "
            "or name another by DOCKER_HOST=unix:///PATH make image"
        )
    timed("image", " and ".join(NAMES), build)


def build() -> str:
    """Build it; its size. It is heard only if it fails."""
    arguments = [f"VERSION={__version__}", f"REVISION={version.revision()}"]
    words = [word for argument in arguments for word in ("--build-arg", argument)]
    words += [word for name in NAMES for word in ("--tag", name)]
    # BuildKit where the client has it; else the classic builder, which an unset variable would not
    # choose by itself when the engine prefers the other.
    buildkit = "0" if docker("buildx", "version").returncode else "1"
    chosen = {"DOCKER_BUILDKIT": buildkit} | os.environ
    done = docker("build", "--file", "Dockerfile.volume", *words, "dist", environment=chosen)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}image: docker build failed")
    size = docker("image", "inspect", "--format", "{{.Size}}", NAMES[0]).stdout
    return f"{int(size) / 1e6:.1f} MB"


def docker(
    *words: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    main()
