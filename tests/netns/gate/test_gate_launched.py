"""The gate behind its launcher (build/launcher.c), here played by the test: what is handed over."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.netns.gate.space import GATE, OTHER_GATE, Result, Space, signal_set

pytestmark = pytest.mark.skipif(OTHER_GATE is not None, reason="plays the launcher itself")

ALL = signal.valid_signals()


def launched(
    space: Space, *command: str, entry: str, before: Callable[[], object], **environ: str
) -> Result:
    """Run the gate as the launcher would: all signals blocked, its entry the last."""

    def preexec() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, ALL)
        before()

    env = {"WEAVE_CIDR": "10.2.1.5/24", **environ, "_WFW_LAUNCH": entry}
    return space.start(*GATE, *command, env=env, preexec_fn=preexec).finish()


def nothing() -> None:
    """The process as the launcher found it."""


@pytest.fixture
def ready(space: Space) -> Space:
    space.attach("10.2.1.5/24")
    return space


@pytest.mark.parametrize(
    ("mask", "blocked"),
    [("0000000000000000", set()), ("0000000000004200", {signal.SIGUSR1, signal.SIGTERM})],
)
def test_the_mask_is_the_one_that_the_launcher_found(
    ready: Space, mask: str, blocked: set[int]
) -> None:
    result = launched(
        ready, "cat", "/proc/self/status", entry=f"{mask},0,/launcher", before=nothing
    )
    assert signal_set(result.out, "SigBlk") == blocked


@pytest.mark.parametrize(
    ("flags", "ignored"),
    [(0, set()), (1, {signal.SIGPIPE}), (3, {signal.SIGPIPE, signal.SIGXFSZ})],
)
def test_what_was_ignored_is_ignored_again(ready: Space, flags: int, ignored: set[int]) -> None:
    entry = f"0000000000000000,{flags},/launcher"
    result = launched(ready, "cat", "/proc/self/status", entry=entry, before=nothing)
    assert signal_set(result.out, "SigIgn") == ignored


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_that_came_before_the_first_handler_is_not_lost(
    space: Space, number: signal.Signals
) -> None:
    result = launched(
        space, "echo", "ran", entry="0000000000000000,0,/launcher",
        before=lambda: signal.raise_signal(number),
    )  # fmt: skip
    assert (result.code, result.out) == (128 + number, "")


def test_entries_of_launcher_and_bootloader_are_taken_out(ready: Space) -> None:
    more = {"A": "1", "_PYI_ARCHIVE_FILE": "/x", "LD_LIBRARY_PATH": "/y", "Z": "2"}
    entry = "0000000000000000,0,/launcher"
    result = launched(ready, "cat", "/proc/self/environ", entry=entry, before=nothing, **more)
    names = [line.partition("=")[0] for line in result.out.split("\0")]
    assert [name for name in names if name in ("A", "Z")] == ["A", "Z"]
    assert not [name for name in names if name.startswith(("_PYI_", "LD_", "_WFW_"))]


def test_what_the_launcher_hid_it_brings_back_itself(ready: Space, tmp_path: Path) -> None:
    # A script loses its argv[0]: the word that says "restore" was there.
    launcher = tmp_path / "launcher"
    launcher.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    launcher.chmod(0o755)
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    entry = f"0000000000000000,4,{launcher}"
    result = launched(
        ready, "tool", "a b", "", entry=entry, before=nothing, PATH=f"{tmp_path}:/usr/bin:/bin"
    )
    assert result.out == f"{tool}|tool|a b||"


def test_a_launcher_that_is_gone_is_said_so(ready: Space) -> None:
    result = launched(ready, "true", entry="0000000000000000,4,/gone/launcher", before=nothing)
    assert result.code == 125
    assert result.err == "wait-for-weave: our launcher /gone/launcher: no such file or directory\n"


def test_an_entry_that_no_launcher_wrote_goes_to_the_command(ready: Space) -> None:
    shown = subprocess.check_output(
        ready.enter(*GATE, "printenv", "_WFW_LAUNCH"),
        env={"PATH": "/usr/bin:/bin", "_WFW_LAUNCH": "mine", "WEAVE_CIDR": "10.2.1.5/24"},
    )
    assert shown == b"mine\n"
