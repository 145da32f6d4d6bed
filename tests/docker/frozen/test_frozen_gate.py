"""The frozen gate in containers that hold nothing but one static program."""

from __future__ import annotations

import io
import tarfile

import pytest

from tests.support import images
from tests.support.engine import PrivateEngine
from waitforweave import __version__

GATE = "/home/weavewait/wait-for-weave"
SCRATCH = "wfw-scratch"
# Each a thing that people switch on; the gate needs no privilege, writes nothing, reads no /proc.
# That it becomes the command there is in tests/docker/gate/test_where_it_runs.py.
HARDENED = {
    "plainly": [],
    "read-only": ["--read-only"],
    "as a user": ["--user", "1000:1000"],
    "without capabilities": ["--cap-drop", "ALL"],
    "without new privileges": ["--security-opt", "no-new-privileges"],
    "without a network": ["--network", "none"],
    "under an init": ["--init"],
    "with noexec /tmp": ["--tmpfs", "/tmp:noexec"],
}
HARDENED["all at once"] = [word for words in HARDENED.values() for word in words]


@pytest.fixture(scope="module")
def run(engine: PrivateEngine, volume_image: str):
    """Runs `docker run` of the image that is FROM scratch but for busybox, behind the gate."""
    import shutil

    busybox = shutil.which("busybox")
    assert busybox is not None
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(busybox, "busybox")
    images.import_image(engine, SCRATCH, root=buffer.getvalue(), env={"PATH": "/"})
    engine.docker("create", "--name", "gate-volume", volume_image)

    def run_behind_gate(options: list[str], *command: str):
        words = ["--rm", "--volumes-from", "gate-volume:ro", "--entrypoint", GATE, *options]
        return engine.docker("run", *words, SCRATCH, *command, check=False)

    yield run_behind_gate
    engine.docker("rm", "-v", "gate-volume")


@pytest.mark.parametrize("options", HARDENED.values(), ids=HARDENED)
def test_without_its_network_it_says_what_is_missing(run, options):
    options = ["-e", "WAIT_FOR_SECONDS=0.2", "-e", "WEAVE_CIDR=10.2.1.5/24", *options]
    result = run(options, "/busybox", "true")
    assert result.code == 1
    *_, first, interface, address, hint = result.err.splitlines()
    assert first.endswith("not ready after 0.2 s:")
    assert "missing:  interface ethwe: not there (interfaces: " in interface
    assert address.endswith("missing:  address 10.2.1.5/24: not there")
    assert "WAIT_FOR_WEAVE_SKIP=yes" in hint


STEERING = {
    "LD_LIBRARY_PATH, set": ["LD_LIBRARY_PATH=/nowhere"],
    "LD_LIBRARY_PATH, empty": ["LD_LIBRARY_PATH="],
    "LD_PRELOAD of what is not there": ["LD_PRELOAD=/nowhere.so"],
    "LD_AUDIT, LD_DEBUG": ["LD_AUDIT=/nowhere.so", "LD_DEBUG=all"],
    "GLIBC_TUNABLES": ["GLIBC_TUNABLES=glibc.malloc.check=3"],
    "the bootloader's own": ["_PYI_ARCHIVE_FILE=/x", "_PYI_PARENT_PROCESS_LEVEL=9", "_MEIPASS2=/x"],
    "the launcher's own": ["_WFW_LAUNCH=0000000000000000,0,/x"],
    "Python's": ["PYTHONHOME=/x", "PYTHONPATH=/y", "PYTHONINSPECT=1", "PYTHONVERBOSE=1"],
    "a locale that is not there": ["LANG=tlh_QO.ISO-8859-1", "LC_ALL=tlh_QO.ISO-8859-1"],
    "all at once": [],
}
STEERING["all at once"] = [entry for entries in STEERING.values() for entry in entries]


@pytest.mark.parametrize("entries", STEERING.values(), ids=STEERING)
def test_the_environment_steers_the_command_and_not_the_gate(run, engine, entries):
    options = [word for entry in entries for word in ("-e", entry)]
    words = ["--rm", "--hostname", "h", *options, "-e", "WAIT_FOR_WEAVE_SKIP=yes"]
    plain = engine.docker("run", *words, SCRATCH, "/busybox", "env")
    gated = run(words[1:], "/busybox", "env")
    # The client sends them in an order of its own each time; tests/netns/gate looks at that.
    assert sorted(gated.out.splitlines()) == sorted(plain.out.splitlines())
    assert (gated.code, gated.err) == (0, plain.err)


def test_the_loader_does_not_read_the_containers_preload_file(engine, volume_image, run):
    root = images.busybox_root({"etc/ld.so.preload": b"/nowhere.so\n"})
    images.import_image(engine, "wfw-preload", root=root)
    words = ["run", "--rm", "--volumes-from", "gate-volume:ro", "--entrypoint", GATE]
    words += ["-e", "WAIT_FOR_WEAVE_SKIP=yes", "wfw-preload", "echo", "hi"]
    result = engine.docker(*words)
    # A loader that reads it says so on stderr: "object '/nowhere.so' ... cannot be preloaded".
    assert (result.out, result.err) == ("hi\n", "")


@pytest.mark.parametrize("name", ["usr/lib/locale/locale-archive", "usr/share/locale/locale.alias"])
def test_libc_does_not_read_the_containers_locales(engine, volume_image, run, name):
    root = io.BytesIO(images.busybox_root())
    with tarfile.open(fileobj=root, mode="a") as tar:
        # A libc that opens it waits for a writer that never comes.
        pipe = tarfile.TarInfo(name)
        pipe.type = tarfile.FIFOTYPE
        tar.addfile(pipe)
    images.import_image(engine, "wfw-locales", root=root.getvalue())
    words = ["run", "--rm", "--volumes-from", "gate-volume:ro", "--entrypoint", GATE]
    words += ["-e", "LANG=de_DE.UTF-8", "-e", "WAIT_FOR_WEAVE_SKIP=yes", "wfw-locales"]
    assert engine.docker(*words, "sh", "-c", "echo $LANG").out == "de_DE.UTF-8\n"


def test_while_it_waits_the_process_has_its_name(engine, run):
    run(["--detach", "--name", "waits", "-e", "WAIT_FOR_SECONDS=0"], "/busybox", "true")
    assert engine.docker("top", "waits", "-o", "pid,comm").out.split()[-1] == "wait-for-weave"
    engine.docker("stop", "waits")


def test_the_gate_says_its_version(run):
    result = run([], "--version")
    assert (result.code, result.out, result.err) == (0, f"wait-for-weave {__version__}\n", "")


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (["nothing-there"], 127, "nothing-there: not found in PATH (/)"),
        (["/nothing/there"], 127, "/nothing/there"),
        (["/home"], 126, "/home: is a directory"),
        (["--frob"], 2, 'unknown option "--frob"'),
    ],
)
def test_what_cannot_run_fails_at_once_and_says_why(run, command, code, words):
    result = run([], *command)
    assert result.code == code
    assert words in result.err
    assert len(result.err.splitlines()) == 1


def test_the_volume_cannot_be_written_to(run):
    result = run(["-e", "WAIT_FOR_WEAVE_SKIP=yes"], "/busybox", "touch", f"{GATE}-too")
    assert result.code == 1
    assert "Read-only file system" in result.err
