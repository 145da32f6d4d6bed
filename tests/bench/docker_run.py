"""What one gated `docker run` takes over a plain one, and one through us that is not gated."""

from __future__ import annotations

import time

from tests.bench.table import Row, medians
from tests.support import images
from tests.support.docker_cli import DockerCli
from tests.support.engine import PrivateEngine
from tests.support.launched import launched, make_image

ROUNDS = 30
PLAIN = ("run", "--rm", images.BUSYBOX, "true")
GATED = ("run", "--rm", "-e", "WEAVE_CIDR=10.2.1.5/24", images.BUSYBOX, "true")


def milliseconds(client: DockerCli, words: tuple[str, ...]) -> float:
    begun = time.perf_counter()
    client.docker(*words)
    return 1000 * (time.perf_counter() - begun)


def rows() -> list[Row]:
    """Three kinds of `docker run`, in turns, on a private engine."""
    with PrivateEngine() as engine:
        images.import_image(engine, images.BUSYBOX, cmd=["sh"])
        make_image(engine)
        with launched(engine, engine.root / "ours" / "docker.sock") as client:
            kinds = {
                "plain": lambda: milliseconds(engine, PLAIN),
                "passed": lambda: milliseconds(client, PLAIN),
                "gated": lambda: milliseconds(client, GATED),
            }
            ms = medians(ROUNDS, kinds)
    return [
        Row("docker run, straight to the engine", ms["plain"]),
        Row("docker run through us, not gated", ms["passed"], ms["plain"], "<= 1.03"),
        Row("docker run, gated, attach included", ms["gated"], ms["plain"], "<= 20 ms more"),
    ]
