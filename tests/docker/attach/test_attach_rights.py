"""The rights that `launch` gives the hook server are enough, with a read-only root."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import images
from tests.support.docker_cli import Result
from tests.support.engine import PrivateEngine
from waitforweave.launch.containers import HOOKS_CAPABILITIES, SECURITY

Run = Callable[..., Result]
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def weavewait(engine: PrivateEngine, tmp_path: Path) -> Iterator[Run]:
    """Run our command from sources in such a container; the host's interpreter is mounted."""
    folders = {"/lib", "/lib64", "/usr", str(ROOT), sys.prefix, sys.base_prefix}
    binds = [f"{folder}:{folder}:ro" for folder in sorted(folders) if Path(folder).exists()]
    binds += [f"{engine.socket}:{engine.socket}", f"{tmp_path}:/state"]
    flags = ["--rm", "--net=host", "--pid=host", "--read-only", "--cap-drop=ALL", f"-w={ROOT}"]
    flags += [f"--cap-add={capability}" for capability in HOOKS_CAPABILITIES]
    flags += [f"--security-opt={option}" for option in SECURITY]
    flags += [f"--volume={bind}" for bind in binds]

    def run(command: str, *words: str) -> Result:
        program = [sys.executable, "-m", "waitforweave.cli.main", command, "--state=/state"]
        options = [f"--engine={engine.url}"]
        return engine.docker("run", *flags, images.BUSYBOX, *program, *options, *words, check=False)

    yield run
    run("detach", "--all")


def test_attach_and_detach_all_from_a_container(engine, weavewait):
    """IPv6 is off in the target, and /proc/sys is read-only where we are."""
    one = engine.docker("run", "-d", "--user=1000", images.BUSYBOX, "sleep", "1000").out.strip()
    try:
        attached = weavewait("attach", "10.2.1.5/24", "fd00::5/64", one)
        assert attached == Result(0, "10.2.1.5 fd00::5\n", "")
        shown = engine.docker("exec", one, "ip", "addr", "show", "ethwe").out
        assert "10.2.1.5/24" in shown
        assert "fd00::5/64" in shown
        assert weavewait("detach", "--all") == Result(0, "", "")
        assert engine.docker("exec", one, "ip", "link", "show", "ethwe", check=False).code != 0
    finally:
        engine.docker("rm", "-f", one)
