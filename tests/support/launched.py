"""A launch on an engine: the volume image from `make image`, and our proxy before the engine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.docker_cli import DockerCli, Result

ROOT = Path(__file__).resolve().parents[2]
WEAVEWAIT = [sys.executable, "-m", "waitforweave.cli.main"]


def make_image(engine: DockerCli) -> None:
    """`make image`, as a person types it, onto this engine."""
    done = subprocess.run(
        ["make", "--no-print-directory", "image"],
        cwd=ROOT,
        env=engine.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def weavewait(*words: str, enter: Sequence[str] = ()) -> Result:
    """Run `weavewait WORDS`; `enter` are the words that bring it into other namespaces."""
    done = subprocess.run(
        [*enter, *WEAVEWAIT, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return Result(done.returncode, done.stdout, done.stderr)


@contextmanager
def launched(
    engine: DockerCli, socket: Path, *options: str, enter: Sequence[str] = ()
) -> Iterator[DockerCli]:
    """The docker client at our proxy, listening on `socket`; stopped at the end."""
    url = f"unix://{socket}"
    words = ["launch", "--engine", engine.url, "--listen", url, *options]
    result = weavewait(*words, enter=enter)
    assert result.code == 0, result.err
    try:
        yield DockerCli(url)
    finally:
        ended = weavewait("stop", "--engine", engine.url, enter=enter)
        assert ended.code == 0, ended.err
