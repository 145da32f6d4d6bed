"""make demo's own program: it comes out as expected, and leaves nothing, also when interrupted."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.support import images
from tests.support.engine import PrivateEngine
from tests.support.launched import ROOT


@contextmanager
def demo(folder: Path, docker_host: str) -> Iterator[subprocess.Popen[str]]:
    """The demo, with `folder` for its temporary files; DOCKER_HOST may lead to no engine."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.demo"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder), "DOCKER_HOST": docker_host},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process


def dockerds(folder: Path) -> list[int]:
    """The engines that a demo with this folder has started, and that still run."""
    found = psutil.process_iter(["name", "cmdline"])
    return [
        each.pid
        for each in found
        if each.info["name"] == "dockerd" and str(folder) in " ".join(each.info["cmdline"] or ())
    ]


def test_on_a_machine_without_an_engine(tmp_path):
    with demo(tmp_path, f"unix://{tmp_path}/none.sock") as process:
        said, _ = process.communicate()
    assert process.returncode == 0, said
    assert said.startswith("starting a private engine")
    assert "the demo came out as expected" in said
    assert said.count("    as expected, ") == 6
    assert without_numbers(shown_in_the_readme()) <= without_numbers(said.splitlines())
    assert list(tmp_path.iterdir()) == []
    assert dockerds(tmp_path) == []


def shown_in_the_readme() -> list[str]:
    """What README.md shows of it."""
    (block,) = re.findall(r"prints, in part:\n\n((?:    .*\n)+)", (ROOT / "README.md").read_text())
    return [line.removeprefix("    ") for line in block.splitlines() if line != "    ..."]


def without_numbers(lines: list[str]) -> set[str]:
    """But for pids and times, which are others each time."""
    return {re.sub(r"wfw-demo-\d+|\d+ m?s\b", "N", line) for line in lines}


def everything(engine: PrivateEngine) -> list[str]:
    """All containers, images and volumes of an engine."""
    asked = (["ps", "-aq", "--no-trunc"], ["image", "ls", "-q"], ["volume", "ls", "-q"])
    # Images of the same second come in any order.
    return ["\n".join(sorted(engine.docker(*words).out.split())) for words in asked]


def test_on_an_engine_that_answers_nothing_is_left(engine, volume_image, tmp_path):
    before = everything(engine)
    with demo(tmp_path, engine.url) as process:
        said, _ = process.communicate()
    assert process.returncode == 0, said
    assert said.startswith(f"using the engine that answers at {engine.url}")
    assert everything(engine) == before
    assert list(tmp_path.iterdir()) == []


def test_the_images_of_others_and_their_names_stay(engine, volume_image, tmp_path):
    """weavewait:latest of another version, and what somebody makes while the demo runs."""
    of_name = ("image", "inspect", "--format", "{{.Id}}")
    other = engine.docker(*of_name, images.BUSYBOX).out
    ours = engine.docker(*of_name, volume_image).out.strip()
    engine.docker("tag", images.BUSYBOX, volume_image)
    try:
        with demo(tmp_path, engine.url) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("1. "):
                    images.import_image(engine, "made-meanwhile", cmd=["true"])
            process.wait()
        assert process.returncode == 0
        assert engine.docker(*of_name, volume_image).out == other
        engine.docker("image", "rm", "made-meanwhile")
    finally:
        engine.docker("tag", ours, volume_image)


def test_without_dockerd_it_is_installed_or_named(tmp_path):
    """Also where an engine answers on TCP, which the demo does not use. Without apt-get, here."""
    path = tmp_path / "bin"
    path.mkdir()
    for name in ("sh", "id", "sort", "docker"):
        (path / name).symlink_to(shutil.which(name) or "")
    said = subprocess.run(
        [sys.executable, "-m", "tests.demo"],
        cwd=ROOT,
        env={"PATH": str(path), "DOCKER_HOST": "tcp://127.0.0.1:1", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1
    assert "need: dockerd" in said.stderr
    assert "    apt-get install docker.io iptables" in said.stderr
    assert "Traceback" not in said.stderr


def test_a_launch_of_somebody_else_is_left_alone(engine, gated, tmp_path):
    before = everything(engine)
    with demo(tmp_path, engine.url) as process:
        assert process.stdout is not None
        said = process.stdout.readline() + process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert "weavewait-hooks, weavewait-proxy already: left alone" in said
    assert "starting a private engine" in said
    assert everything(engine) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("moment", ["$ make", "1. ", "    $ docker exec"])
def test_interrupted_nothing_is_left(tmp_path, number, moment):
    with demo(tmp_path, f"unix://{tmp_path}/none.sock") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(moment):
                break
        assert dockerds(tmp_path)
        process.send_signal(number)
        rest = process.stdout.read()
    assert process.returncode == 130
    assert "interrupted; everything was taken away again" in rest
    assert list(tmp_path.iterdir()) == []
    assert dockerds(tmp_path) == []
