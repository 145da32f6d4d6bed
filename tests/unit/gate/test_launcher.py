"""What the launcher says in `_WFW_LAUNCH`, and whose entries are taken out again."""

from __future__ import annotations

import signal

import pytest

from waitforweave.gate import coercion, launcher
from waitforweave.gate.launcher import Launch


def read(value: str) -> Launch | None:
    return launcher.read({b"_WFW_LAUNCH": value.encode()})


def test_a_launcher_s_words() -> None:
    launch = read("0000000000004001,0,/home/weavewait/wait-for-weave")
    assert launch is not None
    assert launch.mask == {signal.SIGHUP, signal.SIGTERM}
    assert launch.ignored == set()
    assert launch.hidden is False
    assert launch.path == b"/home/weavewait/wait-for-weave"


@pytest.mark.parametrize(
    ("flags", "ignored", "hidden"),
    [
        (0, set(), False),
        (1, {signal.SIGPIPE}, False),
        (2, {signal.SIGXFSZ}, False),
        (3, {signal.SIGPIPE, signal.SIGXFSZ}, False),
        (4, set(), True),
        (7, {signal.SIGPIPE, signal.SIGXFSZ}, True),
    ],
)
def test_its_flags(flags: int, ignored: set[int], hidden: bool) -> None:
    launch = read(f"0000000000000000,{flags},/x")
    assert launch is not None
    assert (launch.ignored, launch.hidden) == (ignored, hidden)


def test_the_highest_signal_and_those_of_the_library() -> None:
    launch = read("ffffffffffffffff,0,/x")
    assert launch is not None
    # 32 and 33 are the C library's own: valid_signals() leaves them out.
    assert launch.mask == set(signal.valid_signals())
    assert 64 in launch.mask


def test_a_path_may_have_commas() -> None:
    launch = read("0000000000000000,0,/a,b/c,d")
    assert launch is not None
    assert launch.path == b"/a,b/c,d"


@pytest.mark.parametrize(
    "value",
    ["", "x", "0,0,/x", "000000000000000g,0,/x", "0000000000000000,,/x", "0000000000000000,-1,/x",
     "0000000000000000,0,", "0000000000000000,0", "+000000000000000,x,/x"],
)  # fmt: skip
def test_what_no_launcher_says_is_not_from_one(value: str) -> None:
    assert read(value) is None


def test_without_the_entry_there_is_no_launcher() -> None:
    assert launcher.read({}) is None


def test_names_of_bootloader_and_launcher_are_ours() -> None:
    ours = [b"_WFW_LAUNCH", b"_PYI_ARCHIVE_FILE", b"_MEIPASS2", b"LD_LIBRARY_PATH",
            b"LD_LIBRARY_PATH_ORIG", b"PYINSTALLER_RESET_ENVIRONMENT"]  # fmt: skip
    users = [b"PATH", b"WEAVE_CIDR", b"LD_PRELOAD", b"PYTHONPATH", b"XLD_LIBRARY_PATH", b"", b"_"]
    assert launcher.names_of_ours([*users, *ours]) == ours


@pytest.mark.parametrize(
    ("environ", "value"),
    [
        (b"", None),
        (b"A=1\0LC_CTYPE=C\0", b"C"),
        (b"LC_CTYPE=\0", b""),
        (b"LC_CTYPE\0A=1\0", None),
        (b"XLC_CTYPE=1\0LC_CTYPE=a=b\0", b"a=b"),
        (b"LC_CTYPE=first\0LC_CTYPE=second\0", b"first"),
    ],
)
def test_the_locale_before_coercion(environ: bytes, value: bytes | None) -> None:
    assert coercion.original(environ) == value
