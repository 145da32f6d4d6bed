"""build/launcher.c: what it hides, what it hands on, how it finds its place, and its errors."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from functools import partial

import pytest

from tests.support import raw
from tests.support.pipes import broken_pipe, full_pipe
from tests.unit.build.conftest import ROOT, execute

OURS = 3  # the bootloader's two entries, and the launcher's own
RESTORE = "\x01wait-for-weave-restore"

STEERING = [
    b"LD_PRELOAD=/x.so", b"LD_LIBRARY_PATH=", b"LD_DEBUG=all", b"LD_", b"GLIBC_TUNABLES=a=1",
    b"MALLOC_TOP_PAD_=9", b"GCONV_PATH=/x", b"LOCPATH=/x", b"_PYI_ARCHIVE_FILE=/x", b"_MEIPASS2=/x",
    b"PYINSTALLER_RESET_ENVIRONMENT=1", b"_WFW_LAUNCH=0000000000000000,0,/x",
]  # fmt: skip
OTHERS = [
    b"PATH=/bin", b"", b"=", b"PATH", b"=LD_PRELOAD=x", b"NOTHING", b"LD", b"OLD_LD_PRELOAD=1",
    b"ld_preload=1", b"LOCPATHS=1", b"_MEIPASS=1", b"PYTHONHOME=/x", b"LC_ALL=xx_XX",
    b"\x01A=1", b"\xccD_PRELOAD=1", b"A=\xff\xfe\n",
]  # fmt: skip
HIDDEN_ALREADY = [b"\x01LD_PRELOAD=/x.so", b"\x01\x01LD_", b"\x01_WFW_LAUNCH=x"]


def text(entries: list[bytes]) -> list[str]:
    return [entry.decode("latin-1") for entry in entries]


def flags(told) -> int:
    return int(told.environ[-1].split(",")[1])


@pytest.mark.parametrize("entry", [*STEERING, *HIDDEN_ALREADY], ids=repr)
def test_what_would_steer_the_loader_is_hidden_in_its_place(gate, entry):
    told = gate.start(entries=[b"A=1", entry, b"Z=2"])
    assert told.environ[:-OURS] == ["A=1", "\x01" + entry.decode(), "Z=2"]
    assert flags(told) == 4


@pytest.mark.parametrize("entry", OTHERS, ids=repr)
def test_everything_else_is_left_as_it_is(gate, entry):
    told = gate.start(entries=[b"A=1", entry, b"A=2"])
    assert told.environ[:-OURS] == text([b"A=1", entry, b"A=2"])
    assert flags(told) == 0


def test_all_entries_come_back_in_their_order(gate):
    # Twice over: duplicates keep their places too.
    entries = [entry for pair in zip(STEERING, OTHERS, strict=False) for entry in pair] * 2
    entries += HIDDEN_ALREADY
    hidden = [e.encode("latin-1") for e in gate.start(entries=entries).environ[:-OURS]]
    assert hidden != entries
    shown = execute(gate.launcher, RESTORE, "/bin/cat", "cat", "/proc/self/environ", entries=hidden)
    assert shown.stdout.split(b"\0")[:-1] == entries


def test_restoring_leaves_signals_as_the_gate_has_put_them(gate):
    def change() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGUSR1])
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)

    # Whoever started us may ignore some too: a shell does, for what it runs in the background.
    plain = signals(execute("/bin/cat", "cat", "/proc/self/status", preexec_fn=change))
    words = [RESTORE, "/bin/cat", "cat", "/proc/self/status"]
    assert signals(execute(gate.launcher, *words, preexec_fn=change)) == plain
    assert plain["SigBlk"] == 1 << (signal.SIGUSR1 - 1)
    assert plain["SigIgn"] & 1 << (signal.SIGUSR2 - 1)


def signals(done: subprocess.CompletedProcess[bytes]) -> dict[str, int]:
    """The masks of a /proc/PID/status."""
    fields = (line.split(":\t", 1) for line in done.stdout.decode().splitlines())
    return {
        name: int(value, 16) for name, value in fields if name.startswith("Sig") and name != "SigQ"
    }


def test_restoring_hands_on_all_arguments_and_the_name(gate):
    shown = 'printf \'%s|\' "$0" "$@"'
    done = execute(gate.launcher, RESTORE, "/bin/sh", "odd", "-c", shown, "", "a b", "-x", "\n")
    assert done.stdout == b"|a b|-x|\n|"


@pytest.mark.parametrize(
    ("path", "code", "reason"),
    [
        ("/nothing/there", 127, "No such file or directory"),
        ("/etc/passwd/x", 127, "Not a directory"),
        ("/etc/passwd", 126, "Permission denied"),
    ],
)
def test_restoring_for_a_command_that_cannot_run_says_why(gate, path, code, reason):
    done = execute(gate.launcher, RESTORE, path, "name")
    assert (done.returncode, done.stdout) == (code, b"")
    assert done.stderr.decode() == f"wait-for-weave: {path}: {reason}\n"


def test_a_message_that_nobody_reads_is_dropped(gate, tmp_path):
    """By SIGPIPE it would end otherwise, and before a full pipe never."""
    alone = shutil.copy(gate.launcher, tmp_path)
    reader, full = full_pipe(blocking=True)
    for writer in (full, broken_pipe()):
        unread = partial(execute, preexec_fn=partial(os.dup2, writer, 2), timeout=20)
        assert unread(gate.launcher, RESTORE, "/nothing/there", "name").returncode == 127
        assert unread(alone, "wait-for-weave").returncode == 125
        os.close(writer)
    os.close(reader)


def test_the_gates_launcher_blocks_all_signals_and_says_what_it_found(gate):
    def change() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGTERM, signal.SIGRTMAX])

    told = gate.start(preexec_fn=change)
    mask = bits(signal.SIGTERM, signal.SIGRTMAX)
    assert told.environ[-1].startswith(f"_WFW_LAUNCH={mask:016x},")
    # Not those that nobody can block, nor those of glibc: they stay as they are.
    assert int(told.blocked, 16) == 2**64 - 1 & ~bits(signal.SIGKILL, signal.SIGSTOP, 32, 33)


def test_what_is_glibcs_own_stays_as_it_is(gate):
    told = gate.start(preexec_fn=lambda: raw.block(32))
    assert told.environ[-1].startswith(f"_WFW_LAUNCH={bits(32):016x},")
    assert int(told.blocked, 16) == 2**64 - 1 & ~bits(signal.SIGKILL, signal.SIGSTOP, 33)


def bits(*numbers: int) -> int:
    return sum(1 << (number - 1) for number in numbers)


@pytest.mark.parametrize(("ignored", "flag"), [((), 0), (("PIPE",), 1), (("PIPE", "XFSZ"), 3)])
def test_what_was_ignored_is_in_the_flags(gate, ignored, flag):
    traps = "".join(f"trap '' {name}; " for name in ignored)
    script = f'{traps}exec "$0"'
    words = ["/bin/sh", "-c", script, gate.launcher]
    done = subprocess.run(words, capture_output=True, check=True, env={})
    assert f",{flag},{gate.launcher}".encode() in done.stdout


def test_the_tools_launcher_leaves_signals_alone(tool):
    told = tool.start(entries=[b"LD_PRELOAD=/x.so"], preexec_fn=lambda: block(signal.SIGUSR1))
    assert int(told.blocked, 16) == 1 << (signal.SIGUSR1 - 1)
    assert told.environ[0] == "\x01LD_PRELOAD=/x.so"
    assert [entry.partition("=")[0] for entry in told.environ[1:]] == [
        "_PYI_ARCHIVE_FILE",
        "_PYI_PARENT_PROCESS_LEVEL",
    ]


def block(*numbers: int) -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, numbers)


def test_the_loader_is_told_where_everything_lies(gate):
    library = str(gate.library)
    front = ["--inhibit-cache", "--library-path", library, "--argv0", f"{library}/wait-for-weave"]
    told = gate.start("", "a b", "--", "-x", entries=[b"A=1"])
    assert told.argv == [*front, f"{library}/bootloader", "", "a b", "--", "-x"]
    assert told.environ[1] == f"_PYI_ARCHIVE_FILE={library}/wait-for-weave"
    assert told.environ[-1].endswith(f",0,{gate.launcher}")


def test_it_finds_its_place_by_any_name_it_is_started_by(gate, tmp_path):
    link = tmp_path / "somewhere" / "else"
    link.parent.mkdir()
    link.symlink_to(os.path.relpath(gate.launcher, link.parent))
    folder = gate.launcher.parent
    relative = os.path.relpath(gate.launcher, tmp_path)
    for program, cwd in [(link, ROOT), ("./wait-for-weave", folder), (relative, tmp_path)]:
        told = gate.start(entries=[b"A=1"], program=program, cwd=cwd)
        assert told.environ[-1].endswith(f",0,{gate.launcher}")


def test_a_copied_bundle_runs_from_its_new_place(gate, tmp_path):
    copy = tmp_path / "a place, with spaces"
    shutil.copytree(gate.launcher.parent, copy)
    told = gate.start(entries=[b"A=1"], program=copy / "wait-for-weave")
    assert told.environ[-1].endswith(f",0,{copy}/wait-for-weave")


def test_a_launcher_without_its_bundle_says_what_is_missing(gate, tmp_path):
    alone = shutil.copy(gate.launcher, tmp_path)
    done = execute(alone, "wait-for-weave")
    assert done.returncode == 125
    message = f"wait-for-weave: {tmp_path}/lib/wait-for-weave: No such file or directory\n"
    assert done.stderr.decode() == message
