"""Which engine the demo uses: the one that answers, or a private one that goes with it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.demo.stage import say
from tests.support.docker_cli import DockerCli
from tests.support.engine import PrivateEngine

NEED = Path(__file__).resolve().parents[2] / "build/need.sh"
# A launch that is already there is somebody's work.
TAKEN = ("weavewait", "weavewait-hooks", "weavewait-proxy")


@contextmanager
def some_engine() -> Iterator[DockerCli]:
    """The engine for this demo, and whether it may be used at all is settled here."""
    url = answering_engine()
    if url is not None and is_free(DockerCli(url)):
        say(f"using the engine that answers at {url}")
        yield DockerCli(url)
        return
    # Not before: whoever has an engine need not install another.
    require("dockerd", "unshare", "nsenter", "setpriv", "ip")
    say("starting a private engine, in a network of its own")
    with PrivateEngine() as engine:
        yield engine


def require(*things: str) -> None:
    """Each thing is there afterwards; else build/need.sh has said what to install."""
    done = subprocess.run(
        [NEED, *things], env={**os.environ, "PYTHON": sys.executable}, check=False
    )
    if done.returncode != 0:
        sys.exit(1)


def answering_engine() -> str | None:
    """The URL that the docker client would use, if an engine answers there by a unix socket."""
    url = os.environ.get("DOCKER_HOST") or client_says(
        "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"
    )
    if not url or not url.startswith("unix://"):
        return None
    return url if client_says("--host", url, "version", "--format", "{{.Server.Version}}") else None


def client_says(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def is_free(engine: DockerCli) -> bool:
    """Whether nothing of ours runs there already, which the demo would take away at its end."""
    names = engine.docker("ps", "--all", "--format", "{{.Names}}").out.split()
    taken = sorted(set(TAKEN) & set(names))
    if taken:
        say(f"the engine at {engine.url} has {', '.join(taken)} already: left alone")
    return not taken
