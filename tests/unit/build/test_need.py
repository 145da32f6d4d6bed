"""build/need.sh on a machine that has less than ours: what it installs, and what it only names.

`apt-get` and the others are scripts in a folder that is all of PATH.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

NEED = Path(__file__).resolve().parents[3] / "build/need.sh"
# What the script itself asks for.
TOOLS = {
    "id": "echo {user}",
    "dirname": "exec /usr/bin/dirname $@",
    "sort": "exec /usr/bin/sort $@",
}
# It writes down its words; what is installed is there from then on.
APT_GET = """
echo "$*" >>{here}/installed
case "$*" in *python3*) printf '#!/bin/sh\\nexit {code}\\n' >{here}/python3
    /bin/chmod +x {here}/python3 ;; esac
"""


def needing(here: Path, *things: str, user: int = 0, code: int = 0) -> tuple[int, str]:
    """Exit code and words of `need.sh THINGS`; the Python that apt-get brings ends with `code`."""
    for name, script in {**TOOLS, "apt-get": APT_GET}.items():
        words = script.replace("{user}", str(user)).replace("{here}", str(here))
        (here / name).write_text("#!/bin/sh\n" + words.replace("{code}", str(code)) + "\n")
        (here / name).chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", NEED, *things], env={"PATH": str(here)}, capture_output=True, check=False
    )
    return done.returncode, done.stderr.decode()


def test_a_bare_debian_gets_its_python(tmp_path):
    assert needing(tmp_path) == (0, "need: installing python3\n")
    assert (tmp_path / "installed").read_text() == (
        "-qq update\n-qq install -y --no-install-recommends python3\n"
    )
    # And is not asked for it again.
    assert needing(tmp_path) == (0, "")


def test_without_the_right_it_is_named(tmp_path):
    said = "need: python3: not here. As root on Debian:\n    apt-get install python3\n"
    assert needing(tmp_path, user=1000) == (1, said)
    assert not (tmp_path / "installed").exists()


def test_an_older_debian_brings_a_python_that_is_too_old(tmp_path):
    code, said = needing(tmp_path, code=1)
    assert code == 1
    assert said.endswith(
        "need: Python 3.11 or newer as 'python3'; name another one with make PYTHON=...\n"
    )


@pytest.mark.parametrize("user", [0, 1000])
def test_what_is_there_is_not_spoken_of(tmp_path, user):
    (tmp_path / "ip").write_text("")
    (tmp_path / "ip").chmod(0o755)
    (tmp_path / "python3").write_text("#!/bin/sh\n")
    (tmp_path / "python3").chmod(0o755)
    assert needing(tmp_path, "ip", "venv", user=user) == (0, "")
