"""Both launchers, compiled from build/launcher.c, each before a loader that tells what it got."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from build import bundle, platforms

ROOT = Path(__file__).resolve().parents[3]
# Stands where the bundle's own loader does. As a script it loses its argv[0], which the kernel
# replaces by its path; /proc shows the environment as execve(2) gave it, entry for entry.
LOADER = """#!{python} -IS
import json, sys
from pathlib import Path
def read(name): return Path("/proc/self", name).read_bytes().decode("latin-1")
signals = {{key: value for key, _, value in (line.partition(":\\t")
           for line in read("status").splitlines()) if key.startswith("Sig")}}
environ = read("environ").split("\\0")[:-1]
print(json.dumps({{"argv": read("cmdline").split("\\0")[3:-1], "environ": environ, **signals}}))
"""


@dataclass(frozen=True)
class Told:
    """What the loader was given: its words, its environment entry for entry, SigBlk and SigIgn."""

    argv: list[str]
    environ: list[str]
    blocked: str
    ignored: str


# Executes with an environment that no dict can hold, and with signals as a shell would leave them.
STARTER = """
import ctypes, signal, sys
from tests.netns.gate.probe import array
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
program, *argv = [word.encode() for word in sys.argv[1:]]
entries = sys.stdin.buffer.read().split(b"\\0")[:-1]
ctypes.CDLL(None).execve(program, array(argv), array(entries))
sys.exit(f"cannot execute {program}")
"""


def execute(
    program: Path | str, *argv: str, entries: Sequence[bytes] = (), **more: object
) -> subprocess.CompletedProcess[bytes]:
    """Run a program; `entries` is its environment, `argv` begins with its name."""
    block = b"".join(entry + b"\0" for entry in entries)
    words = [sys.executable, "-c", STARTER, str(program), *argv]
    # PYTHONPATH: for the starter, wherever it is started.
    given = {"cwd": ROOT, "env": {"PYTHONPATH": str(ROOT)}, **more}
    return subprocess.run(words, input=block, capture_output=True, check=False, **given)  # type: ignore[call-overload,no-any-return]


class Bundle:
    """A folder like dist/NAME: the launcher, and lib/NAME, the loader."""

    def __init__(self, folder: Path, name: str, defines: list[str]) -> None:
        self.launcher = folder / name
        self.library = folder / "lib"
        self.library.mkdir(parents=True)
        bundle.compile_launcher(self.launcher, defines, platforms.here())
        loader = self.library / name
        loader.write_text(LOADER.format(python=sys.executable))
        loader.chmod(0o755)

    def start(self, *words: str, entries: Sequence[bytes] = (), **more: object) -> Told:
        """What the loader is told when the launcher is started so."""
        program = str(more.pop("program", self.launcher))
        done = execute(program, program, *words, entries=entries, **more)
        assert (done.returncode, done.stderr) == (0, b"")
        told = json.loads(done.stdout)
        return Told(told["argv"], told["environ"], told["SigBlk"], told["SigIgn"])


@pytest.fixture(scope="session")
def gate(tmp_path_factory) -> Bundle:
    return Bundle(tmp_path_factory.mktemp("gate"), "wait-for-weave", ["-DGATE"])


@pytest.fixture(scope="session")
def tool(tmp_path_factory) -> Bundle:
    return Bundle(tmp_path_factory.mktemp("tool"), "weavewait", [])
