"""argv and environment to options; each wrong one is named with what is allowed."""

from __future__ import annotations

import pytest

from waitforweave.gate import options, weave_cidr
from waitforweave.gate.options import HELP, QUIT, SKIP, VERSION, WAIT, Options, UsageError


def read(*argv: str, **environ: str) -> Options:
    return options.read(list(argv), {k.encode(): v.encode() for k, v in environ.items()})


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        ([], []),
        (["--"], []),
        (["sh"], ["sh"]),
        (["sh", "-c", "true"], ["sh", "-c", "true"]),
        (["sh", "--help"], ["sh", "--help"]),
        (["sh", "--", "x"], ["sh", "--", "x"]),
        (["--", "sh"], ["sh"]),
        (["--", "--fruit", "apples"], ["--fruit", "apples"]),
        (["--", "--"], ["--"]),
        (["-"], ["-"]),
        ([""], [""]),
        (["sh", ""], ["sh", ""]),
        (["\udcff"], ["\udcff"]),
    ],
)
def test_the_command_is_what_is_left(argv: list[str], command: list[str]) -> None:
    chosen = read(*argv)
    assert (chosen.action, chosen.command) == (WAIT, command)


@pytest.mark.parametrize(
    ("argv", "action"),
    [(["--help"], HELP), (["--version"], VERSION), (["--help", "sh"], HELP)],
)
def test_what_runs_no_command(argv: list[str], action: str) -> None:
    assert read(*argv).action == action


@pytest.mark.parametrize("word", ["-h", "--halp", "--help=x", "-c", "---", "--timeout", "-\x1b"])
def test_an_unknown_option_is_an_error(word: str) -> None:
    with pytest.raises(UsageError, match="unknown option") as caught:
        read(word, "sh")
    assert weave_cidr.quote(word) in str(caught.value)
    assert "--help, --version" in str(caught.value)
    assert str(caught.value).isprintable()


def test_without_any_variable_it_waits_30_seconds_for_any_address() -> None:
    chosen = read("sh")
    assert (chosen.action, chosen.seconds) == (WAIT, 30.0)
    assert [w.text for w in chosen.wanted] == ["net:default"]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("5", 5.0), ("", 30.0), ("0", None), ("00", None), ("0.0", None), ("0.25", 0.25), ("05", 5.0)],
)
def test_seconds(value: str, seconds: float | None) -> None:
    assert read("sh", WAIT_FOR_SECONDS=value).seconds == seconds


@pytest.mark.parametrize(
    "value",
    ["-1", "+1", "1s", "nan", "inf", "1e3", "1_0", " 5", "5.", ".5", ".", "1.2.3", "\u0665", "yes",
     "1" * 10, "0x10", "5\n"],
)  # fmt: skip
def test_wrong_seconds(value: str) -> None:
    with pytest.raises(UsageError, match=r"WAIT_FOR_SECONDS: .* no number of seconds; allowed: 30"):
        read("sh", WAIT_FOR_SECONDS=value)


@pytest.mark.parametrize("name", ["WAIT_FOR_WEAVE_QUIT", "WAIT_FOR_WEAVE_SKIP"])
@pytest.mark.parametrize("value", ["1", "true", "YES", "y", " yes", "yes\n"])
def test_a_switch_is_yes_or_no(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"{name}: .* is wrong; allowed: yes, no"):
        read("sh", **{name: value})


@pytest.mark.parametrize("value", ["no", ""])
def test_a_switch_that_is_off(value: str) -> None:
    assert read("sh", WAIT_FOR_WEAVE_QUIT=value, WAIT_FOR_WEAVE_SKIP=value).action == WAIT


def test_quit_comes_before_all_that_could_be_wrong() -> None:
    chosen = read("--halp", WAIT_FOR_WEAVE_QUIT="yes", WEAVE_CIDR="nonsense", WAIT_FOR_SECONDS="x")
    assert chosen.action == QUIT


def test_skip_is_the_way_out_also_of_a_wrong_value() -> None:
    chosen = read("sh", WAIT_FOR_WEAVE_SKIP="yes", WEAVE_CIDR="nonsense", WAIT_FOR_SECONDS="x")
    assert (chosen.action, chosen.command) == (SKIP, ["sh"])


def test_none_promises_nothing_so_nothing_is_waited_for() -> None:
    assert read("sh", WEAVE_CIDR="none").action == SKIP


def test_what_was_promised_is_wanted() -> None:
    chosen = read("sh", WEAVE_CIDR="10.2.1.5/24 net:10.3.0.0/16")
    assert [w.text for w in chosen.wanted] == ["10.2.1.5/24", "net:10.3.0.0/16"]


def test_a_wrong_promise_is_named() -> None:
    with pytest.raises(UsageError, match=r'WEAVE_CIDR: "10\.2\.1\.300/24" is not an IP address'):
        read("sh", WEAVE_CIDR="10.2.1.300/24")


def test_bytes_that_are_no_text_are_an_error_too() -> None:
    with pytest.raises(UsageError, match=r'WEAVE_CIDR: "\\udcff" has a character'):
        options.read([], {b"WEAVE_CIDR": b"\xff"})
