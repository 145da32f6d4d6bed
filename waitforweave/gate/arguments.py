"""Command line and environment to options, where they say anything at all. Pure.

Each option `--some-option` is also a variable WAIT_FOR_WEAVE_SOME_OPTION: a container's command
line is the user's, and its environment is ours. The command line beats the environment.
"""

from __future__ import annotations

from _socket import AF_INET, AF_INET6

from waitforweave.gate import asked, values
from waitforweave.gate.asked import Asked
from waitforweave.gate.options import (
    EXPLAIN,
    FAIL,
    HELP,
    INSTALL,
    INTERFACE,
    JSON,
    QUIET,
    QUIT,
    RUN,
    SKIP,
    TEXT,
    VERBOSE,
    VERSION,
    WAIT,
    Options,
    UsageError,
    add_promise,
    value_of,
)
from waitforweave.gate.values import Given
from waitforweave.gate.weave_cidr import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from waitforweave.gate.asked import LinkState, Quantity, Scope
    from waitforweave.gate.options import Action, LogFormat

ACTIONS: Sequence[Action] = (HELP, VERSION, INSTALL, EXPLAIN)

SWITCHES = ("any", "all", "quiet", "verbose", HELP, VERSION, EXPLAIN)
WITH_VALUE = (
    *("interface", "count", "state", "address", "family", "scope", "route"),
    *("timeout", "on-timeout", "log-format", INSTALL),
)
# An image that pins our version may say so in a variable of just that name; and what writes is
# asked for by a command line alone.
NO_VARIABLES = (HELP, VERSION, INSTALL)
ONE_OF = (("any", "all", "count"), ("quiet", "verbose"))
# What is about the addresses that an interface has, and means nothing where none is waited for.
OF_ADDRESSES = ("address", "family", "scope")

FAMILIES = {"any": 0, "inet": AF_INET, "inet6": AF_INET6}


def read(argv: list[str], environ: Mapping[bytes, bytes]) -> Options:
    """The options of `argv` (without the program's own name) and `environ`. Raises UsageError,
    which knows the `log_format` if it was said before it."""
    said: dict[str, Given] = {}
    try:
        return read_all(argv, environ, said)
    except UsageError as error:
        error.log_format = log_format(environ, said)
        raise


def log_format(environ: Mapping[bytes, bytes], said: dict[str, Given]) -> LogFormat:
    """In which form to say what is wrong, also where nothing else is looked at."""
    given = said.get("log-format")
    value = given.value if given else value_of(environ, variable("log-format"))
    return JSON if value == JSON else TEXT


def read_all(argv: list[str], environ: Mapping[bytes, bytes], said: dict[str, Given]) -> Options:
    """As read(); puts into `said` what the command line says. Raises UsageError."""
    if is_yes(environ, "WAIT_FOR_WEAVE_QUIT"):
        return Options(QUIT)
    command = read_words(argv, said)
    # Before all that could be wrong: this is the way out.
    if is_yes(environ, "WAIT_FOR_WEAVE_SKIP") and said.keys().isdisjoint(ACTIONS):
        options = Options(SKIP, command)
        options.log_format = log_format(environ, said)
        return options
    given = merged(read_variables(environ), said)
    options = Options(next((action for action in ACTIONS if action in given), WAIT), command)
    if options.action in (HELP, VERSION):
        return options
    if "log-format" in given:
        options.log_format = values.choice(given["log-format"], (TEXT, JSON))  # type: ignore[assignment]
    if options.action == INSTALL:
        options.folder = folder(given[INSTALL], command)
        return options
    fill(options, given, environ)
    return options


def read_words(argv: list[str], said: dict[str, Given]) -> list[str]:
    """Put what `argv` says of each option into `said`; the command behind them.

    Our own options end at "--" or at the first word that is none. Raises UsageError.
    """
    rest = iter(range(len(argv)))
    for position in rest:
        word = argv[position]
        if word == "--":
            return argv[position + 1 :]
        if not word.startswith("-") or word == "-":
            return argv[position:]
        option, equals, value = word.removeprefix("--").partition("=")
        label = f"--{option}"
        if word.startswith("--") and option in WITH_VALUE:
            if not equals:
                value = argv[position + 1] if next(rest, None) is not None else "--"
                # Not the next option, which would be waited for as an interface of that name.
                if value.startswith("--"):
                    raise UsageError(f"{label}: its value is missing; allowed: {label}=VALUE")
            before = said[option].values if option in said else []
            said[option] = Given(label, [*before, value])
        elif word.startswith("--") and option in SWITCHES:
            if equals:
                raise UsageError(f"{label} takes no value; allowed: {label} alone")
            said[option] = Given(label, ["yes"])
        else:
            raise unknown(word)
    return []


def unknown(word: str) -> UsageError:
    names = ", ".join(f"--{name}" for name in (*WITH_VALUE, *SWITCHES))
    return UsageError(
        f'unknown option "{quote(word)}"; allowed: {names}, and -- before a command that begins '
        'with "-"'
    )


def read_variables(environ: Mapping[bytes, bytes]) -> dict[str, Given]:
    """What the environment says; an empty variable is an absent one. Raises UsageError."""
    found: dict[str, Given] = {}
    for option in WITH_VALUE:
        if option in NO_VARIABLES:
            continue
        label = variable(option)
        value = value_of(environ, label)
        if not value and option == "timeout":
            # Its name in the first wait-for-weave.
            label = "WAIT_FOR_SECONDS"
            value = value_of(environ, label)
        if value:
            found[option] = Given(label, [value])
    for option in SWITCHES:
        if option not in NO_VARIABLES and is_yes(environ, variable(option)):
            found[option] = Given(variable(option), ["yes"])
    return found


def merged(variables: dict[str, Given], said: dict[str, Given]) -> dict[str, Given]:
    """What was said on the command line first, also where it says the opposite."""
    for group in ONE_OF:
        if not said.keys().isdisjoint(group):
            variables = {name: given for name, given in variables.items() if name not in group}
    return {**variables, **said}


def fill(options: Options, given: dict[str, Given], environ: Mapping[bytes, bytes]) -> None:
    """Check all values, and put them into `options`. Raises UsageError."""
    refuse_opposites(given)
    if "quiet" in given or "verbose" in given:
        options.level = QUIET if "quiet" in given else VERBOSE
    if "timeout" in given:
        options.seconds = values.seconds(given["timeout"])
    if "on-timeout" in given:
        options.on_timeout = values.choice(given["on-timeout"], (FAIL, RUN))  # type: ignore[assignment]
        if options.on_timeout == RUN and not options.command and options.action == WAIT:
            raise given["on-timeout"].wrong(RUN, "has no COMMAND to run", f"{FAIL}, or a COMMAND")
    options.asked = read_asked(given)
    add_promise(options, environ, given.keys())


def folder(given: Given, command: list[str]) -> str:
    """Where to copy the gate to. Raises UsageError."""
    if command:
        raise UsageError(f"{given.label} runs no COMMAND; allowed: {given.label} DIR alone")
    if not given.value:
        raise given.wrong("", "is no folder", f"{given.label} DIR")
    return given.value


def read_asked(given: dict[str, Given]) -> Asked:
    """All that options say of what to wait for. Raises UsageError."""
    wanted = Asked(values.interfaces(given["interface"]) if "interface" in given else [INTERFACE])
    quantity: Quantity = asked.EACH
    for name in (asked.ANY, asked.ALL, asked.COUNT):
        quantity = name if name in given else quantity
    wanted.quantity = quantity
    wanted.count = values.count(given["count"]) if "count" in given else 1
    if "state" in given:
        state: LinkState = values.choice(given["state"], asked.STATES)  # type: ignore[assignment]
        wanted.state = state
    if "family" in given:
        wanted.family = FAMILIES[values.choice(given["family"], tuple(FAMILIES))]
    if "scope" in given:
        scopes = (asked.GLOBAL_SCOPE, asked.ANY_SCOPE)
        scope: Scope = values.choice(given["scope"], scopes)  # type: ignore[assignment]
        wanted.scope = scope
    if "address" in given:
        wanted.addresses = values.addresses(given["address"])
    if "route" in given:
        wanted.routes = values.destinations(given["route"], wanted.family)
    refuse_contradictions(wanted, given)
    return wanted


def refuse_opposites(given: dict[str, Given]) -> None:
    """Two of which only one can be meant. Raises UsageError."""
    for group in ONE_OF:
        labels = [given[name].label for name in group if name in given]
        if len(labels) > 1:
            allowed = ", ".join(f"--{name}" for name in group)
            raise UsageError(
                f"{' and '.join(labels)} contradict each other; allowed: one of {allowed}"
            )


def refuse_contradictions(wanted: Asked, given: dict[str, Given]) -> None:
    """What could never become true, or asks for what is not waited for. Raises UsageError."""
    for name in OF_ADDRESSES:
        if name in given and wanted.state != asked.ADDRESS:
            raise UsageError(
                f"{given[name].label} and {given['state'].label} {wanted.state} contradict each "
                f"other; allowed: {given[name].label} with state {asked.ADDRESS}"
            )
    if wanted.count > len(wanted.interfaces) and not any(map(asked.is_glob, wanted.interfaces)):
        names = ", ".join(wanted.interfaces)
        raise given["count"].wrong(
            given["count"].value,
            f"is more than there are names ({names})",
            "fewer, or a shell glob",
        )
    for word in wanted.addresses:
        if wanted.family not in (0, word.family):
            family = given["family"]
            reason = f"is not of {family.label} {family.value}"
            raise given["address"].wrong(word.text, reason, f"{family.label} any, or none")


def is_yes(environ: Mapping[bytes, bytes], name: str) -> bool:
    """A switch that is on. Raises UsageError."""
    value = value_of(environ, name)
    if value not in ("", "yes", "no"):
        raise UsageError(f'{name}: "{quote(value)}" is wrong; allowed: yes, no')
    return value == "yes"


def variable(option: str) -> str:
    """The name of an option's variable."""
    return f"WAIT_FOR_WEAVE_{option.upper().replace('-', '_')}"
