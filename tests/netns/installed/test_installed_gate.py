"""The gate as `pip install` gives it, in an environment that holds nothing else."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.netns.gate.space import Space
from tests.support.compiled import compiled
from tests.support.self_seen import facts
from waitforweave import __version__

ROOT = Path(__file__).resolve().parents[3]
ENVIRON = {"WEAVE_CIDR": "10.2.1.5/24", "LC_ALL": "tlh_QO", "LD_LIBRARY_PATH": ""}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script that pip made; none of our dependencies is there."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    pip += ["--python", f"{folder}/bin/python", "install", "--no-deps", str(ROOT)]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return f"{folder}/bin/wait-for-weave"


@pytest.fixture
def space() -> Iterator[Space]:
    with Space() as made:
        yield made


def test_it_waits_and_becomes_the_command(space: Space, installed: str) -> None:
    probe = str(compiled("self"))
    gate = space.start(installed, probe, "a b", env=ENVIRON).settled()
    space.attach("10.2.1.5/24")
    behind = gate.finish()
    plain = space.start(probe, "a b", env=ENVIRON).finish()
    assert (behind.code, behind.err) == (0, "")
    assert facts(behind.out) == facts(plain.out)


def test_a_signal_ends_the_wait(space: Space, installed: str) -> None:
    gate = space.start(installed, "echo", "ran", env=ENVIRON).settled()
    gate.send(signal.SIGTERM)
    result = gate.finish()
    assert (result.code, result.out) == (143, "")


def test_it_is_this_version(space: Space, installed: str) -> None:
    assert space.start(installed, "--version").finish().out == f"wait-for-weave {__version__}\n"
