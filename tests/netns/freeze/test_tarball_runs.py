"""`make tarball`: unpacked anywhere, as anybody, it runs from there; also in a root of its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from build import platforms, tarball
from waitforweave import __version__

ROOT = Path(__file__).resolve().parents[3]
RELEASE = platforms.here().release(__version__)
TARBALL = ROOT / "dist" / f"{RELEASE}.tar.gz"
# TMPDIR and pytest's own folders may be root's alone.
FOR_ANYBODY = "/tmp"
USERS = {
    "root": [],
    "another user": ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups"],
}
BECOMES = ["--", "/bin/sh", "-c", "echo $0 $1; exit 3", "a b", "c"]
READ_ONLY = (
    'mount --bind "$0" "$1" && mount -o remount,bind,ro "$1" && cd "$1" && shift && exec "$@"'
)
READY = """
ip link add ethwe type veth peer name other
ip link set other up
(ip address add 10.2.1.5/24 dev ethwe && ip link set ethwe up) &
exec "$@"
"""


def make_tarball(**environment: str) -> bytes:
    words = ["make", "--no-print-directory", "tarball"]
    environment = {**os.environ, **environment}
    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"tarball: dist/{TARBALL.name}, ")
    return TARBALL.read_bytes()


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder whose name has spaces, with what `tar xzf` makes of it; anybody can enter it."""
    make_tarball()
    folder = Path(tempfile.mkdtemp(prefix="a place with spaces ", dir=FOR_ANYBODY))
    folder.chmod(0o755)
    try:
        subprocess.run(["tar", "-xzf", TARBALL], cwd=folder, check=True)
        yield folder
    finally:
        shutil.rmtree(folder)


def run(*words: str | Path, **more: object) -> tuple[int, str, str]:
    given = {"env": {"WAIT_FOR_WEAVE_SKIP": "yes", "PATH": os.environ["PATH"]}, **more}
    done = subprocess.run(words, capture_output=True, text=True, check=False, **given)  # type: ignore[call-overload]
    return done.returncode, done.stdout, done.stderr


def test_the_checksum_beside_it_is_its_own(place):
    digest = hashlib.sha256(TARBALL.read_bytes()).hexdigest()
    beside = TARBALL.with_name(f"{TARBALL.name}.sha256")
    assert beside.read_text() == f"{digest}  {TARBALL.name}\n"
    assert run("sha256sum", "--check", beside, cwd=TARBALL.parent)[0] == 0


def test_it_is_made_again_with_the_same_bytes(place):
    before = TARBALL.read_bytes()
    assert make_tarball(TZ="Asia/Tokyo", LC_ALL="C", PYTHONHASHSEED="7") == before
    assert make_tarball(SOURCE_DATE_EPOCH="1") != before
    assert make_tarball() == before


def test_it_holds_the_gate_alone(place):
    with tarfile.open(TARBALL) as tar:
        names = {name.removeprefix(RELEASE) for name in tar.getnames()}
    bundle = ROOT / "dist" / "wait-for-weave"
    inside = {f"/{path.relative_to(bundle)}" for path in bundle.rglob("*")}
    assert names == {"", *inside, *(f"/{name}" for name in tarball.BESIDE)}


@pytest.mark.parametrize("user", USERS.values(), ids=USERS)
def test_it_runs_by_each_name(place, user):
    gate = place / RELEASE / "wait-for-weave"
    with tempfile.TemporaryDirectory(dir=FOR_ANYBODY) as links:
        Path(links).chmod(0o755)
        link = Path(links, "gate")
        link.symlink_to(os.path.relpath(gate, links))
        path = {"WAIT_FOR_WEAVE_SKIP": "yes", "PATH": f"{gate.parent}:{os.environ['PATH']}"}
        by_path = [*user, "sh", "-c", 'exec wait-for-weave "$@"', "sh"]
        became = (3, "a b c\n", "")
        assert run(*user, gate, *BECOMES, cwd="/") == became
        assert run(*user, "./wait-for-weave", *BECOMES, cwd=gate.parent) == became
        assert run(*user, f"{RELEASE}/wait-for-weave", *BECOMES, cwd=place) == became
        assert run(*user, link, *BECOMES, cwd="/") == became
        assert run(*user, "./gate", *BECOMES, cwd=links) == became
        assert run(*by_path, *BECOMES, cwd="/", env=path) == became


@pytest.mark.parametrize("user", USERS.values(), ids=USERS)
def test_it_runs_where_it_cannot_be_written_to(place, user):
    mounted = place / "read only"
    mounted.mkdir(exist_ok=True)
    words = ["unshare", "--mount", "sh", "-c", READ_ONLY, place / RELEASE, mounted]
    gate = [*user, "./wait-for-weave"]
    assert run(*words, *gate, *BECOMES) == (3, "a b c\n", "")
    code, _, error = run(*words, *gate, "--", "touch", "lib/written")
    assert (code, "Read-only file system" in error or "Permission denied" in error) == (1, True)
    assert not (place / RELEASE / "lib" / "written").exists()


@pytest.mark.parametrize("who", [[], ["--userspec=1000:1000"]], ids=USERS)
def test_it_runs_in_a_root_that_holds_nothing_else(place, who):
    chroot = ["chroot", *who, place / RELEASE, "/wait-for-weave"]
    said = (0, f"wait-for-weave {__version__}\n", "")
    assert run(*chroot, "--version") == said
    # The only program there that it can become.
    assert run(*chroot, "--", "/wait-for-weave", "--version") == said
    code, _, error = run(*chroot, "--", "/bin/sh")
    assert (code, "/bin/sh" in error) == (127, True)


@pytest.mark.parametrize("user", USERS.values(), ids=USERS)
def test_from_there_it_waits_for_its_network(place, user):
    words = ["unshare", "--net", "sh", "-ec", READY, "sh", *user]
    gate = place / RELEASE / "wait-for-weave"
    environment = {"WEAVE_CIDR": "10.2.1.5/24", "PATH": os.environ["PATH"]}
    assert run(*words, gate, *BECOMES, env=environment)[:2] == (3, "a b c\n")
    missing = {**environment, "WEAVE_CIDR": "10.2.1.6/24", "WAIT_FOR_SECONDS": "0.2"}
    code, out, error = run(*words, gate, *BECOMES, env=missing)
    assert (code, out) == (1, "")
    assert "10.2.1.6/24" in error
