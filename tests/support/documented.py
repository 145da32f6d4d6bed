"""What a page shows is what a person types: run as it stands, where the engine is the usual one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.support.engine import PrivateEngine
from tests.support.launched import ROOT


def block_under(text: str, heading: str) -> str:
    """The lines of the first indented block under a heading."""
    section = text.split(f"\n## {heading}\n", 1)[1]
    match = re.search(r"(?:^    .*\n)+", section, re.MULTILINE)
    assert match is not None
    return match[0]


def run_in(engine: PrivateEngine, script: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A shell where this engine is the one at /var/run/docker.sock, in the checkout, with our
    commands on PATH; it ends with the first command that fails."""
    given = [f"{name}={value}" for name, value in environ.items()]
    shell = ["sh", "-exc", f'cd {ROOT}\nPATH="{Path(sys.executable).parent}:$PATH"\n{script}']
    words = [*engine.enter(), "env", "-u", "DOCKER_HOST", *given, *shell]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
