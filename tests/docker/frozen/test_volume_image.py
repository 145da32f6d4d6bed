"""The image that `make image` builds, and the operator's tool in it and from dist/."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from typing import Any

import pytest

from tests.support import images
from tests.support.docker_cli import DockerCli
from tests.support.engine import PrivateEngine
from tests.support.launched import ROOT
from waitforweave import __version__

COMMANDS = ("attach", "detach", "doctor", "explain", "launch", "proxy", "serve", "status", "stop")
MEGABYTE = 1_000_000


def inspect(engine: PrivateEngine, image: str) -> Any:
    return json.loads(engine.docker("image", "inspect", image).out)[0]


def test_it_has_two_names_and_says_its_version(engine, volume_image):
    described = inspect(engine, f"weavewait:{__version__}")
    assert described["Id"] == inspect(engine, volume_image)["Id"]
    labels = described["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == __version__
    assert described["Config"]["Volumes"] == {"/home/weavewait": {}}


def test_containers_of_any_user_can_read_all_of_it(engine, volume_image):
    engine.docker("create", "--name", "to-read", volume_image)
    words = ["docker", "-H", engine.url, "cp", "to-read:/", "-"]
    root = subprocess.run(words, capture_output=True, check=True).stdout
    engine.docker("rm", "-v", "to-read")
    with tarfile.open(fileobj=io.BytesIO(root)) as tar:
        files = {entry.name.lstrip("./"): entry for entry in tar if "weavewait" in entry.name}
    assert "opt/weavewait/weavewait" in files
    assert "home/weavewait/wait-for-weave" in files
    for entry in files.values():
        wanted = 0o555 if entry.isdir() or entry.mode & 0o100 else 0o444
        assert entry.mode & 0o777 & wanted == wanted, entry.name
        assert not entry.mode & 0o022, entry.name


def test_sizes_stay_what_was_promised(engine, volume_image):
    assert size_of_bundle("wait-for-weave") <= 12 * MEGABYTE
    assert size_of_bundle("weavewait") <= 30 * MEGABYTE
    whole, tool = inspect(engine, volume_image)["Size"], size_of_tools_layer(engine, volume_image)
    assert tool >= 20 * MEGABYTE
    assert whole - tool <= 16 * MEGABYTE


def size_of_bundle(name: str) -> int:
    files = [path for path in (ROOT / "dist" / name).rglob("*") if path.is_file()]
    assert files
    return sum(path.stat().st_size for path in files)


def size_of_tools_layer(engine: PrivateEngine, image: str) -> int:
    words = [
        "history",
        "--no-trunc",
        "--human=false",
        "--format",
        "{{.Size}} {{.CreatedBy}}",
        image,
    ]
    layers = [line.split(" ", 1) for line in engine.docker(*words).out.splitlines()]
    # "COPY dir:... in /opt/weavewait" of the classic builder, "COPY weavewait /opt/weavewait".
    sizes = [int(size) for size, made in layers if "COPY" in made and "/opt/weavewait" in made]
    assert len(sizes) == 1, layers
    return sizes[0]


def test_without_arguments_it_says_in_one_line_what_it_is_for(engine, volume_image):
    result = engine.docker("run", "--rm", volume_image)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("This container only holds the volume /home/weavewait")
    assert len(result.out.splitlines()) == 1


def test_with_arguments_it_is_weavewait(engine, volume_image):
    said = engine.docker("run", "--rm", volume_image, "--version").out
    assert said == f"weavewait, version {__version__}\n"
    said = engine.docker("run", "--rm", volume_image, "--help").out
    for command in COMMANDS:
        assert f"  {command} " in said


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_in_it_with_all_that_it_imports(engine, volume_image, command):
    hardened = ["--read-only", "--user", "1000:1000", "--cap-drop", "ALL", "--network", "none"]
    helped = engine.docker("run", "--rm", *hardened, volume_image, command, "--help")
    assert helped.out.startswith(f"Usage: weavewait {command} ")
    assert helped.err == ""


def test_the_environment_does_not_steer_the_tool(engine, volume_image):
    entries = ["LD_PRELOAD=/x.so", "LD_LIBRARY_PATH=/x", "_PYI_ARCHIVE_FILE=/x", "PYTHONHOME=/x"]
    options = [word for entry in entries for word in ("-e", entry)]
    result = engine.docker("run", "--rm", *options, volume_image, "--version")
    assert (result.out, result.err) == (f"weavewait, version {__version__}\n", "")


def test_an_unknown_command_is_one_clear_error(engine, volume_image):
    result = engine.docker("run", "--rm", volume_image, "lunch", check=False)
    assert result.code == 2
    assert "No such command 'lunch'" in result.err
    assert "Traceback" not in result.err


def test_the_frozen_tool_launches_itself_as_processes_of_the_host(engine, volume_image):
    def weavewait(*words: str) -> str:
        command = [*engine.enter(), str(ROOT / "dist/weavewait/weavewait"), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    url = f"unix://{engine.root}/frozen/d.sock"
    words = ["--engine", engine.url, "--listen", url, "--host-process"]
    assert weavewait("launch", *words) == f"export DOCKER_HOST={url}\n"
    try:
        run = ["run", "--rm", "-e", "WEAVE_CIDR=10.2.9.5/24", images.BUSYBOX]
        shown = DockerCli(url).docker(*run, "ip", "-4", "-o", "addr", "show", "ethwe").out
    finally:
        weavewait("stop", "--engine", engine.url)
    assert "inet 10.2.9.5/24" in shown


def test_without_an_engine_it_is_one_line_with_the_reason(tmp_path):
    nowhere = DockerCli(f"unix://{tmp_path}/nowhere.sock")
    words = [sys.executable, "-m", "build.image"]
    done = subprocess.run(
        words, cwd=ROOT, env=nowhere.environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"image: no Docker Engine answers at {nowhere.url} (")
    assert len(done.stderr.splitlines()) == 1
