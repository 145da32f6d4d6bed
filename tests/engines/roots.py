"""Roots with the Docker Engine of a Debian suite in them, made once by debootstrap."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from tests.support.engines import client_of, root_of

# procps: `docker top` asks ps.
ENGINE = ["docker.io", "iptables", "procps", "ca-certificates"]
CLIENT = ["docker-cli", "docker-buildx", "docker-compose"]
PACKAGES = {
    # docker.io brings its client there, and docker-compose is the old one, in Python.
    "bookworm": [*ENGINE, "docker-compose"],
    "trixie": [*ENGINE, *CLIENT],
    "testing": [*ENGINE, *CLIENT, "podman", "netavark", "nftables"],
}
PLUGINS = "usr/libexec/docker/cli-plugins"


class RootError(Exception):
    """A root could not be made; says why."""


def ensure(suite: str) -> Path:
    """The root of this suite, made if it is not there. RootError."""
    root = root_of(suite)
    if not root.is_dir():
        root.parent.mkdir(parents=True, exist_ok=True)
        debootstrap(suite, root)
    ensure_client(suite, root)
    return root


def debootstrap(suite: str, root: Path) -> None:
    """Made under another name: half a root is none."""
    half = root.with_name(f"{suite}-half")
    shutil.rmtree(half, ignore_errors=True)
    words = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES[suite])}"]
    print(f"engines: making {root} (about a minute, 700 MB)", flush=True)
    done = subprocess.run(
        [*words, suite, str(half), *mirror()], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        end = "\n".join((done.stdout + done.stderr).splitlines()[-5:])
        raise RootError(f"debootstrap {suite} ended with {done.returncode}:\n{end}")
    for package in half.glob("var/cache/apt/archives/*.deb"):
        package.unlink()
    half.rename(root)


def mirror() -> list[str]:
    """Where this machine has its own Debian from; [] leaves the choice to debootstrap."""
    wanted = ["Origin: Debian", "Label: Debian", "Component: main", "Identifier: Packages"]
    said = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", *wanted],
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.split()[:1]


def ensure_client(suite: str, root: Path) -> None:
    """`docker` alone in a folder, with the configuration that names its plugins."""
    folder = client_of(suite)
    folder.mkdir(exist_ok=True)
    link = folder / "docker"
    link.unlink(missing_ok=True)
    link.symlink_to(root / "usr/bin/docker")
    config = {"cliPluginsExtraDirs": [str(root / PLUGINS)]}
    (folder / "config.json").write_text(json.dumps(config))
