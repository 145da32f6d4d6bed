"""argv and environment to options; each wrong one is named with what is allowed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from waitforweave.gate import arguments, asked, conditions, options, weave_cidr
from waitforweave.gate.links import Links
from waitforweave.gate.options import (
    EXPLAIN,
    HELP,
    INSTALL,
    QUIT,
    SKIP,
    VERSION,
    WAIT,
    Options,
    UsageError,
)


def read(*argv: str, **environ: str) -> Options:
    return options.read(list(argv), {k.encode(): v.encode() for k, v in environ.items()})


def texts(chosen: Options) -> list[str]:
    return [word.text for word in chosen.asked.addresses]


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        ([], []),
        (["--interface", "eth0", "sh", "--any"], ["sh", "--any"]),
        (["--interface=eth0", "--any", "--", "--all"], ["--all"]),
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
    [
        (["--help"], HELP),
        (["--version"], VERSION),
        (["--help", "sh"], HELP),
        (["--any", "--help", "--all"], HELP),
        (["--explain", "sh"], EXPLAIN),
    ],
)
def test_what_runs_no_command(argv: list[str], action: str) -> None:
    assert read(*argv).action == action


@pytest.mark.parametrize("word", ["-h", "--halp", "-c", "---", "--time", "-timeout", "-\x1b"])
def test_an_unknown_option_is_an_error(word: str) -> None:
    with pytest.raises(UsageError, match="unknown option") as caught:
        read(word, "sh")
    assert weave_cidr.quote(word) in str(caught.value)
    for name in (*arguments.SWITCHES, *arguments.WITH_VALUE):
        assert f"--{name}" in str(caught.value)
    assert str(caught.value).isprintable()


def test_without_any_variable_it_waits_30_seconds_for_any_address() -> None:
    chosen = read("sh")
    assert (chosen.action, chosen.seconds) == (WAIT, 30.0)
    assert chosen.asked.interfaces == ["ethwe"]
    assert (chosen.asked.state, chosen.asked.addresses) == (asked.ADDRESS, [])
    assert (chosen.level, chosen.log_format, chosen.on_timeout) == ("normal", "text", "fail")


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


@pytest.mark.parametrize(("form", "said"), [("json", "json"), ("", "text"), ("xml", "text")])
def test_skip_leaves_the_form_of_what_is_said(form: str, said: str) -> None:
    chosen = read("sh", WAIT_FOR_WEAVE_SKIP="yes", WAIT_FOR_WEAVE_LOG_FORMAT=form)
    assert (chosen.action, chosen.log_format) == (SKIP, said)


def test_none_promises_nothing_so_nothing_is_waited_for() -> None:
    assert read("sh", WEAVE_CIDR="none").action == SKIP
    assert read("--timeout", "5", "--state", "up", "sh", WEAVE_CIDR="none").action == SKIP


@pytest.mark.parametrize(
    "argv",
    [["--interface", "ethwe"], ["--interface", "tun0"], ["--address", "10.9.9.9"],
     ["--route", "default"]],
)  # fmt: skip
def test_what_an_option_asks_for_is_waited_for_all_the_same(argv: list[str]) -> None:
    assert read(*argv, "sh", WEAVE_CIDR="none").action == WAIT


def test_what_was_promised_is_wanted() -> None:
    chosen = read("sh", WEAVE_CIDR="10.2.1.5/24 net:10.3.0.0/16")
    assert texts(chosen) == ["10.2.1.5/24", "net:10.3.0.0/16"]


def test_a_wrong_promise_is_named() -> None:
    with pytest.raises(UsageError, match=r'WEAVE_CIDR: "10\.2\.1\.300/24" is not an IP address'):
        read("sh", WEAVE_CIDR="10.2.1.300/24")


def test_bytes_that_are_no_text_are_an_error_too() -> None:
    with pytest.raises(UsageError, match=r'WEAVE_CIDR: "\\udcff" has a character'):
        options.read([], {b"WEAVE_CIDR": b"\xff"})


def test_a_promise_is_about_ethwe_alone() -> None:
    assert texts(read("--interface", "eth0", WEAVE_CIDR="10.2.1.5/24")) == []
    assert read("--interface", "eth0", WEAVE_CIDR="nonsense").action == WAIT
    for name in ("ethwe", "eth*", "eth0 ethwe"):
        assert texts(read("--interface", name, WEAVE_CIDR="10.2.1.5/24")) == ["10.2.1.5/24"]


def test_addresses_of_an_option_stand_in_the_place_of_the_promise() -> None:
    chosen = read("--address", "10.9.9.9", WEAVE_CIDR="10.2.1.5/24")
    assert texts(chosen) == ["10.9.9.9"]


def test_a_state_below_address_wants_no_promised_address() -> None:
    assert texts(read("--state", "up", WEAVE_CIDR="10.2.1.5/24")) == []


# Its value on the command line, and what is so then and not before.
EVERYTHING: dict[str, tuple[str | None, Callable[[Options], bool]]] = {
    "interface": ("eth0", lambda o: o.asked.interfaces == ["eth0"]),
    "any": (None, lambda o: o.asked.quantity == asked.ANY),
    "all": (None, lambda o: o.asked.quantity == asked.ALL),
    "count": ("1", lambda o: (o.asked.quantity, o.asked.count) == (asked.COUNT, 1)),
    "state": ("carrier", lambda o: o.asked.state == asked.CARRIER),
    "address": ("10.2.1.5", lambda o: texts(o) == ["10.2.1.5"]),
    "family": ("inet6", lambda o: o.asked.family == 10),
    "scope": ("any", lambda o: o.asked.scope == asked.ANY_SCOPE),
    "route": ("default", lambda o: [r.text for r in o.asked.routes] == ["default"]),
    "timeout": ("0.5", lambda o: o.seconds == 0.5),
    "on-timeout": ("run", lambda o: o.on_timeout == "run"),
    "log-format": ("json", lambda o: o.log_format == "json"),
    "quiet": (None, lambda o: o.level == "quiet"),
    "verbose": (None, lambda o: o.level == "verbose"),
    "explain": (None, lambda o: o.action == EXPLAIN),
    "install": ("/gate", lambda o: (o.action, o.folder) == (INSTALL, "/gate")),
    "help": (None, lambda o: o.action == HELP),
    "version": (None, lambda o: o.action == VERSION),
}


def test_no_option_is_forgotten_here() -> None:
    assert sorted(EVERYTHING) == sorted((*arguments.SWITCHES, *arguments.WITH_VALUE))


@pytest.mark.parametrize("option", EVERYTHING)
def test_each_option_on_the_command_line_and_in_the_environment(option: str) -> None:
    value, is_so = EVERYTHING[option]
    assert not is_so(read("sh"))
    variable = "WAIT_FOR_WEAVE_" + option.upper().replace("-", "_")
    if option in arguments.NO_VARIABLES:
        assert not is_so(read("sh", **{variable: value or "1.0"}))
        command = ["sh"] if value is None else []
        assert is_so(read(f"--{option}", *filter(None, [value]), *command))
        return
    ways = [read("sh", **{variable: value or "yes"})]
    if value is None:
        ways += [read(f"--{option}", "sh")]
        assert not is_so(read("sh", **{variable: "no"}))
    else:
        ways += [read(f"--{option}", value, "sh"), read(f"--{option}={value}", "sh")]
    for chosen in ways:
        assert is_so(chosen)
    assert not is_so(read("sh", **{variable: ""}))


@pytest.mark.parametrize("option", ["interface", "address", "route"])
def test_some_are_repeatable_and_lists_in_the_environment(option: str) -> None:
    first, second = {"interface": ("eth0", "tun0")}.get(option, ("10.1.1.1", "fd00::1"))
    variable = f"WAIT_FOR_WEAVE_{option.upper()}"
    for chosen in (
        read(f"--{option}", first, f"--{option}={second}"),
        read(f"--{option}", f"{first},{second}"),
        read(**{variable: f"{first}, {second}"}),
        read(**{variable: f"{first} {second} {first}"}),
        read(f"--{option}", first, f"--{option}", second, **{variable: "nonsense/"}),
    ):
        found = {
            "interface": chosen.asked.interfaces,
            "address": texts(chosen),
            "route": [to.text for to in chosen.asked.routes],
        }
        assert found[option] == [first, second]


def test_the_command_line_beats_the_environment() -> None:
    chosen = read("--timeout", "7", "--state=up", WAIT_FOR_WEAVE_TIMEOUT="8", WAIT_FOR_SECONDS="9")
    assert (chosen.seconds, chosen.asked.state) == (7.0, "up")
    assert read(WAIT_FOR_WEAVE_TIMEOUT="8", WAIT_FOR_SECONDS="9").seconds == 8.0
    # Also where it says the opposite.
    assert read("--any", WAIT_FOR_WEAVE_ALL="yes").asked.quantity == asked.ANY
    assert read("--count=1", WAIT_FOR_WEAVE_ANY="yes").asked.quantity == asked.COUNT
    assert read("--quiet", WAIT_FOR_WEAVE_VERBOSE="yes").level == "quiet"


def test_a_name_that_looks_like_an_option_needs_its_equals_sign() -> None:
    assert read("--interface=--any", "sh").asked.interfaces == ["--any"]


def test_of_one_that_is_no_list_the_last_counts() -> None:
    assert read("--timeout", "7", "--timeout", "8").seconds == 8.0


@pytest.mark.parametrize(
    ("argv", "environ", "message"),
    [
        (["--any", "--all"], {}, "--any and --all contradict each other; allowed: one of --any"),
        (["--all", "--count", "2"], {}, "--all and --count contradict each other"),
        (["--quiet", "--verbose"], {}, "--quiet and --verbose contradict each other"),
        ([], {"WAIT_FOR_WEAVE_ANY": "yes", "WAIT_FOR_WEAVE_COUNT": "2"},
         "WAIT_FOR_WEAVE_ANY and WAIT_FOR_WEAVE_COUNT contradict each other"),
        (["--state", "up", "--address", "10.2.1.5"], {},
         "--address and --state up contradict each other; allowed: --address with state address"),
        (["--state", "carrier"], {"WAIT_FOR_WEAVE_FAMILY": "inet"},
         "WAIT_FOR_WEAVE_FAMILY and --state carrier contradict each other"),
        (["--state", "present", "--scope", "any"], {}, "--scope and --state present contradict"),
        (["--family", "inet", "--address", "fd00::1"], {},
         '--address: "fd00::1" is not of --family inet; allowed: --family any'),
        (["--count", "3", "--interface", "eth0,tun0"], {},
         '--count: "3" is more than there are names (eth0, tun0); allowed: fewer, or a shell glob'),
        (["--on-timeout", "run"], {}, '--on-timeout: "run" has no COMMAND to run; allowed: fail'),
        (["--timeout"], {}, "--timeout: its value is missing"),
        (["--interface"], {}, "--interface: its value is missing"),
        (["--interface", "--any"], {}, "--interface: its value is missing"),
        (["--interface", "--", "sh"], {}, "--interface: its value is missing"),
        (["--timeout", "-5"], {}, '--timeout: "-5" is no number of seconds'),
        (["--any=yes"], {}, "--any takes no value"),
        (["--help=x"], {}, "--help takes no value"),
        (["--state", "ready"], {}, '--state: "ready" is wrong; allowed: present, up, carrier, add'),
        (["--family", "ipv6"], {}, '--family: "ipv6" is wrong; allowed: any, inet, inet6'),
        (["--scope", "link"], {}, '--scope: "link" is wrong; allowed: global, any'),
        (["--log-format", "xml"], {}, '--log-format: "xml" is wrong; allowed: text, json'),
        (["--on-timeout", "exit", "x"], {}, '--on-timeout: "exit" is wrong; allowed: fail, run'),
        ([], {"WAIT_FOR_WEAVE_STATE": "x"}, 'WAIT_FOR_WEAVE_STATE: "x" is wrong; allowed: present'),
        ([], {"WAIT_FOR_WEAVE_ANY": "1"}, 'WAIT_FOR_WEAVE_ANY: "1" is wrong; allowed: yes, no'),
    ],
)  # fmt: skip
def test_contradictions_and_wrong_values(
    argv: list[str], environ: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        read(*argv, **environ)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("argv", "environ", "form"),
    [
        (["--state", "x", "--log-format", "json"], {}, "json"),
        (["--log-format", "json", "--halp"], {}, "json"),
        (["--log-format", "json"], {"WAIT_FOR_WEAVE_ANY": "1"}, "json"),
        (["--halp"], {"WAIT_FOR_WEAVE_LOG_FORMAT": "json"}, "json"),
        ([], {"WAIT_FOR_WEAVE_LOG_FORMAT": "json", "WAIT_FOR_WEAVE_QUIT": "1"}, "json"),
        (["--log-format=text", "--halp"], {"WAIT_FOR_WEAVE_LOG_FORMAT": "json"}, "text"),
        (["--log-format", "xml"], {}, "text"),
        (["--halp"], {}, "text"),
    ],
)
def test_an_error_knows_in_which_form_it_is_to_be_said(
    argv: list[str], environ: dict[str, str], form: str
) -> None:
    with pytest.raises(UsageError) as caught:
        read(*argv, **environ)
    assert caught.value.log_format == form


@pytest.mark.parametrize("argv", [[], ["--any"], ["--state", "up"], ["--count", "1"]])
def test_explained_too_nothing_is_waited_for_where_nothing_was_promised(argv: list[str]) -> None:
    chosen = read("--explain", *argv, "sh", WEAVE_CIDR="none")
    assert chosen.action == EXPLAIN
    assert conditions.judge(Links(), chosen.asked).state == conditions.READY
