"""The gated program is itself one that PyInstaller made: its bootloader, its folder and what its
own children inherit are as they are without us."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from build import bundle
from tests.docker.gate import boxes
from tests.support import images
from tests.support.compiled import CACHE
from tests.support.engine import PrivateEngine
from tests.support.engine_api import EngineApi

SPEC = Path(__file__).with_name("frozen_program.spec")
PROGRAMS = {"one file": "/one-file", "one folder": "/one-folder/program"}
UNPACKED = re.compile(r"_MEI\w+")  # one file: another folder each time
ENTRIES = {
    "none": [],
    "LD_LIBRARY_PATH": ["LD_LIBRARY_PATH=/usr/lib"],
    "LD_LIBRARY_PATH, empty": ["LD_LIBRARY_PATH="],
    "LD_LIBRARY_PATH_ORIG": ["LD_LIBRARY_PATH_ORIG=/x", "LD_LIBRARY_PATH=/y"],
    "_MEIPASS2": ["_MEIPASS2=/x"],
    "reset": ["PYINSTALLER_RESET_ENVIRONMENT=1", "_PYI_PARENT_PROCESS_LEVEL=0"],
    "of another program": ["_PYI_ARCHIVE_FILE=/x", "_PYI_APPLICATION_HOME_DIR=/y"],
    "Python's": ["PYTHONHOME=/x", "PYTHONPATH=/y", "PYTHONUTF8=1", "LC_ALL=tlh_QO.UTF-8"],
}


def frozen() -> Path:
    """The folder with both programs, kept in .cache/."""
    folder = CACHE / "frozen-program"
    made = folder / "made"
    sources = [SPEC, SPEC.with_suffix(".py")]
    if not made.exists() or made.stat().st_mtime < max(p.stat().st_mtime for p in sources):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        words = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level=WARN"]
        words += [f"--workpath={folder / 'work'}", f"--distpath={folder / 'dist'}", str(SPEC)]
        env = {**os.environ, "WFW_WORK": str(folder), "PYINSTALLER_CONFIG_DIR": str(folder)}
        done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        made.touch()
    return folder / "dist"


@pytest.fixture(scope="module")
def image(engine: PrivateEngine) -> str:
    """A root with both programs, and this machine's loader and libraries for them."""
    programs = frozen()
    buffer = io.BytesIO(images.busybox_root())
    with tarfile.open(fileobj=buffer, mode="a") as tar:
        tar.add(programs, ".")
        for library in sorted(bundle.libraries_of(programs)):
            images.add_file(tar, str(library).lstrip("/"), library.read_bytes())
    return images.import_image(engine, "wfw-frozen-programs", root=buffer.getvalue())


@pytest.mark.usefixtures("volume")
@pytest.mark.parametrize("entries", ENTRIES)
@pytest.mark.parametrize("program", PROGRAMS)
def test_it_is_as_without_us(
    api: EngineApi, network: str, image: str, program: str, entries: str
) -> None:
    words = [PROGRAMS[program], "a b"]
    host = {"NetworkMode": network}
    ended = boxes.both(api, boxes.body(image, *words, env=ENTRIES[entries], host=host))
    plain, behind = [(e.code, *(UNPACKED.sub("_MEI", t) for t in (e.out, e.err))) for e in ended]
    assert behind == plain
    seen = json.loads(ended[1].out)
    assert (seen["data"], seen["again"]["data"]) == ("bundled", "bundled")
    assert seen["argv"][1:] == ["a b"]
