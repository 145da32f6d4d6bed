"""What one gated `docker run` takes over a plain one, and one through us that is not gated."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from tests.bench.table import Row
from tests.support import images
from tests.support.docker_cli import DockerCli
from tests.support.engine import PrivateEngine
from tests.support.launched import launched, make_image

ROUNDS = 30
PLAIN = ("run", "--rm", images.BUSYBOX, "true")
GATED = ("run", "--rm", "-e", "WEAVE_CIDR=10.2.1.5/24", images.BUSYBOX, "true")


def seconds(client: DockerCli, words: tuple[str, ...]) -> float:
    begun = time.perf_counter()
    client.docker(*words)
    return time.perf_counter() - begun


def medians(kinds: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median of each kind in milliseconds; taken in turns, so that noise is shared."""
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, measure in kinds.items():
            taken[name].append(1000 * measure())
    return {name: statistics.median(values) for name, values in taken.items()}


def rows() -> list[Row]:
    """Three kinds of `docker run`, in turns, on a private engine."""
    with PrivateEngine() as engine:
        images.import_image(engine, images.BUSYBOX, cmd=["sh"])
        make_image(engine)
        with launched(engine, engine.root / "ours" / "docker.sock") as client:
            kinds = {
                "plain": lambda: seconds(engine, PLAIN),
                "passed": lambda: seconds(client, PLAIN),
                "gated": lambda: seconds(client, GATED),
            }
            ms = medians(kinds, ROUNDS)
    return [
        Row("docker run, straight to the engine", ms["plain"]),
        Row("docker run through us, not gated", ms["passed"], ms["plain"], "<= 1.03"),
        Row("docker run, gated, attach included", ms["gated"], ms["plain"], "<= 20 ms more"),
    ]
