"""python -m tests.demo: engine, image, launch, the steps, and all of it taken away again."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from tests.demo.engines import some_engine
from tests.demo.stage import Stage, play, say
from tests.demo.steps import STEPS
from tests.support import images
from tests.support.docker_cli import DockerCli
from tests.support.engine import INTERRUPTS, EngineError

ROOT = Path(__file__).resolve().parents[2]
WEAVEWAIT = ROOT / ".venv/bin/weavewait"
EXAMPLES = ROOT / "docs/examples/seed"


def main() -> int:
    for number in INTERRUPTS:
        signal.signal(number, interrupted)
    begun = time.monotonic()
    try:
        with some_engine() as engine, ExitStack() as stack:
            stack.enter_context(volume_image(engine))
            proxy = stack.enter_context(launched(engine))
            stage = stack.enter_context(prepared(engine, DockerCli(proxy)))
            for place, step in enumerate(STEPS, 1):
                play(place, step, stage)
            say("\ntaking everything away again")
    except EngineError as error:
        say(f"demo: {error}")
        return 1
    except KeyboardInterrupt:
        say("demo: interrupted; everything was taken away again")
        return 130
    say(f"\nthe demo came out as expected, {time.monotonic() - begun:.0f} s in all")
    return 0


def interrupted(number: int, frame: FrameType | None) -> None:
    """All three unwind, and nothing is left behind; the unwinding itself cannot be stopped."""
    for each in INTERRUPTS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def run(engine: DockerCli, *words: str) -> str:
    """One of our own commands, shown; what it says on stderr goes to the person."""
    say(f"$ {shlex.join(words)}")
    with subprocess.Popen(
        words, cwd=ROOT, env=engine.environment(), stdout=subprocess.PIPE, text=True
    ) as command:
        try:
            out, _ = command.communicate()
        except KeyboardInterrupt:
            command.terminate()
            raise
    if command.returncode != 0:
        say(f"demo: {words[0]} ended with exit code {command.returncode}")
        sys.exit(1)
    return out


@contextmanager
def volume_image(engine: DockerCli) -> Iterator[None]:
    """weavewait:latest on the engine; the images that were there before, and their names, are
    there afterwards."""
    ids, names = own_images(engine), image_names(engine)
    with ExitStack() as stack:
        stack.callback(lambda: restore_names(engine, names))
        stack.callback(lambda: remove_images(engine, own_images(engine) - ids))
        run(engine, "make", "--no-print-directory", "image")
        yield


def own_images(engine: DockerCli) -> set[str]:
    """Made from Dockerfile.volume, be it half: what else comes meanwhile is somebody else's."""
    label = "label=org.opencontainers.image.title=wait-for-weave"
    return set(engine.docker("image", "ls", "--quiet", "--no-trunc", "--filter", label).out.split())


def image_names(engine: DockerCli) -> dict[str, str]:
    """The names that `make image` may give to another image: name to id."""
    form = "{{.Repository}}:{{.Tag}} {{.ID}}"
    said = engine.docker("image", "ls", "--no-trunc", "--format", form, "weavewait").out
    pairs = (line.split() for line in said.splitlines())
    return {name: identity for name, identity in pairs if not name.endswith(":<none>")}


def remove_images(engine: DockerCli, ids: set[str]) -> None:
    if ids:
        engine.docker("image", "rm", "--force", *sorted(ids))


def restore_names(engine: DockerCli, names: dict[str, str]) -> None:
    for name, identity in names.items():
        engine.docker("tag", identity, name)


@contextmanager
def launched(engine: DockerCli) -> Iterator[str]:
    """The URL of our proxy in front of this engine."""
    with tempfile.TemporaryDirectory(prefix="wfw-demo-") as folder:
        url = f"unix://{folder}/docker.sock"
        with ExitStack() as stack:
            stack.callback(lambda: run(engine, str(WEAVEWAIT), "stop", "--engine", engine.url))
            words = ["launch", "--engine", engine.url, "--listen", url]
            say(run(engine, str(WEAVEWAIT), *words).rstrip())
            yield url


@contextmanager
def prepared(engine: DockerCli, client: DockerCli) -> Iterator[Stage]:
    """The images of the steps, made without a registry, and a stage to be cleared."""
    stage = Stage(client, prefix=f"wfw-demo-{os.getpid()}")
    with ExitStack() as stack:
        stack.callback(lambda: clear(engine, stage))
        scripts = {f"app/{path.name}": path.read_bytes() for path in EXAMPLES.glob("*.sh")}
        root = images.busybox_root(scripts)
        for name, entrypoint in (
            ("example", ["sh", "/app/example.sh"]),
            ("script", ["sh", "/app/script.sh"]),
            ("plain", None),
        ):
            images.import_image(engine, stage.image(name), root=root, entrypoint=entrypoint)
        yield stage


def clear(engine: DockerCli, stage: Stage) -> None:
    if stage.containers:
        engine.docker("rm", "--force", "--volumes", *stage.containers, check=False)
    engine.docker("image", "rm", "--force", *(map(stage.image, ("example", "script", "plain"))))


if __name__ == "__main__":
    sys.exit(main())
