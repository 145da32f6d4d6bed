"""Command line and environment to options. Pure.

A container's command line is the user's and its environment is ours, so all that steers the gate
in a container is in the environment.
"""

from __future__ import annotations

from waitforweave.gate import weave_cidr
from waitforweave.gate.weave_cidr import WeaveCidrError, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Final, Literal

    from waitforweave.gate.weave_cidr import Wanted

    Action = Literal["help", "version", "quit", "skip", "wait"]

HELP: Final = "help"
VERSION: Final = "version"
QUIT: Final = "quit"  # for the volume container: exit 0 at once
SKIP: Final = "skip"  # run the command at once
WAIT: Final = "wait"

INTERFACE = "ethwe"
DEFAULT_SECONDS = 30.0
MAX_DIGITS = 9


class UsageError(Exception):
    """An option or a value that is wrong; says which, and what is allowed."""


class Options:
    """What to do: `command` may be empty; `seconds` is None for ever; `wanted` as promised."""

    __slots__ = ("action", "command", "seconds", "wanted")

    def __init__(
        self,
        action: Action,
        command: list[str] | None = None,
        seconds: float | None = DEFAULT_SECONDS,
        wanted: Sequence[Wanted] = (),
    ) -> None:
        self.action: Action = action
        self.command = command or []
        self.seconds = seconds
        self.wanted = wanted


def read(argv: list[str], environ: Mapping[bytes, bytes]) -> Options:
    """The options of `argv` (without the program's own name) and `environ`. Raises UsageError."""
    if is_yes(environ, "WAIT_FOR_WEAVE_QUIT"):
        return Options(QUIT)
    action, command = read_words(argv)
    if action != WAIT:
        return Options(action)
    # Before all that could be wrong: this is the way out.
    if is_yes(environ, "WAIT_FOR_WEAVE_SKIP"):
        return Options(SKIP, command)
    seconds = read_seconds(environ)
    wanted = read_wanted(environ)
    # WEAVE_CIDR=none promises nothing, so there is nothing to wait for.
    return Options(WAIT if wanted else SKIP, command, seconds, wanted)


def read_words(argv: list[str]) -> tuple[Action, list[str]]:
    """Our own options end at "--" or at the first word that is none. Raises UsageError."""
    for position, word in enumerate(argv):
        if word == "--":
            return WAIT, argv[position + 1 :]
        if word in ("--help", "--version"):
            return (HELP if word == "--help" else VERSION), []
        if word.startswith("-") and word != "-":
            raise UsageError(
                f'unknown option "{quote(word)}"; allowed: --help, --version, and -- before a '
                'command that begins with "-"'
            )
        return WAIT, argv[position:]
    return WAIT, []


def is_yes(environ: Mapping[bytes, bytes], name: str) -> bool:
    """A switch that is on. Raises UsageError."""
    value = value_of(environ, name)
    if value not in ("", "yes", "no"):
        raise UsageError(f'{name}: "{quote(value)}" is wrong; allowed: yes, no')
    return value == "yes"


def read_seconds(environ: Mapping[bytes, bytes]) -> float | None:
    """How long to wait at most; None for ever. Raises UsageError."""
    name = "WAIT_FOR_SECONDS"
    value = value_of(environ, name)
    if not value:
        return DEFAULT_SECONDS
    whole, dot, fraction = value.partition(".")
    digits = whole + fraction
    # Not float() alone: it takes "nan", "1e9" and "1_0" too.
    if not (value.isascii() and digits.isdigit() and whole and bool(dot) == bool(fraction)):
        raise bad_seconds(name, value)
    if len(digits) > MAX_DIGITS:
        raise bad_seconds(name, value)
    return float(value) or None


def bad_seconds(name: str, value: str) -> UsageError:
    return UsageError(
        f'{name}: "{quote(value)}" is no number of seconds; allowed: 30 or 0.5, at most '
        f"{MAX_DIGITS} digits, and 0 to wait for ever"
    )


def read_wanted(environ: Mapping[bytes, bytes]) -> Sequence[Wanted]:
    """What WEAVE_CIDR promises; without one, any address. Raises UsageError."""
    try:
        return weave_cidr.parse(value_of(environ, "WEAVE_CIDR"))
    except WeaveCidrError as error:
        raise UsageError(str(error)) from None


def value_of(environ: Mapping[bytes, bytes], name: str) -> str:
    """A variable as text; an absent one is an empty one."""
    return environ.get(name.encode(), b"").decode("ascii", "surrogateescape")
