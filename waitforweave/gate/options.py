"""What the gate is to do, and what it does where nobody says anything. Pure.

The usual container names no option of ours: then waitforweave/gate/arguments.py, which reads them,
is not even loaded.
"""

from __future__ import annotations

from waitforweave.gate import asked, weave_cidr
from waitforweave.gate.asked import Asked
from waitforweave.gate.weave_cidr import WeaveCidrError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Final, Literal

    from waitforweave.gate.weave_cidr import Wanted

    Action = Literal["help", "version", "install", "quit", "skip", "explain", "wait"]
    OnTimeout = Literal["fail", "run"]
    LogFormat = Literal["text", "json"]
    Level = Literal["quiet", "normal", "verbose"]

HELP: Final = "help"
VERSION: Final = "version"
INSTALL: Final = "install"  # copy the gate to `folder`
QUIT: Final = "quit"  # for the volume container: exit 0 at once
SKIP: Final = "skip"  # run the command at once
EXPLAIN: Final = "explain"
WAIT: Final = "wait"

FAIL: Final = "fail"
RUN: Final = "run"
QUIET: Final = "quiet"
NORMAL: Final = "normal"
VERBOSE: Final = "verbose"
TEXT: Final = "text"
JSON: Final = "json"

INTERFACE = "ethwe"
DEFAULT_SECONDS = 30.0
VARIABLES = b"WAIT_FOR_"
# What says by itself that there is something to wait for, also where WEAVE_CIDR is "none".
ASKING = {"interface", "address", "route"}


class UsageError(Exception):
    """An option or a value that is wrong; says which, and what is allowed."""

    log_format: LogFormat = TEXT


class Options:
    """What to do: `command` may be empty; `seconds` is None for ever; `asked` what to wait for."""

    __slots__ = (
        *("action", "asked", "command", "folder", "level", "log_format", "on_timeout", "seconds"),
    )

    def __init__(self, action: Action, command: list[str] | None = None) -> None:
        self.action: Action = action
        self.command = command or []
        self.asked = Asked([INTERFACE])
        self.seconds: float | None = DEFAULT_SECONDS
        self.on_timeout: OnTimeout = FAIL
        self.log_format: LogFormat = TEXT
        self.level: Level = NORMAL
        self.folder = ""


def read(argv: list[str], environ: Mapping[bytes, bytes]) -> Options:
    """The options of `argv` (without the program's own name) and `environ`. Raises UsageError,
    which knows the `log_format` if it was said."""
    if any(word.startswith("-") for word in argv[:1]) or any(
        name.startswith(VARIABLES) for name in environ
    ):
        from waitforweave.gate import arguments

        return arguments.read(argv, environ)
    options = Options(WAIT, argv)
    add_promise(options, environ)
    return options


def add_promise(
    options: Options, environ: Mapping[bytes, bytes], given: Collection[str] = ()
) -> None:
    """WEAVE_CIDR is a promise about ethwe, and counts where ethwe is waited for; addresses that
    an option names stand in its place. Raises UsageError."""
    wanted = options.asked
    if "address" in given or not any(asked.selects(n, INTERFACE) for n in wanted.interfaces):
        return
    promised = read_promise(environ)
    # WEAVE_CIDR=none promises nothing, so there is nothing to wait for.
    if not promised and ASKING.isdisjoint(given):
        options.asked = Asked([])
        options.action = SKIP if options.action == WAIT else options.action
    if wanted.state == asked.ADDRESS:
        wanted.addresses = [word for word in promised if word.kind != weave_cidr.DEFAULT]


def read_promise(environ: Mapping[bytes, bytes]) -> Sequence[Wanted]:
    """What WEAVE_CIDR promises; without one, any address. Raises UsageError."""
    try:
        return weave_cidr.parse(value_of(environ, "WEAVE_CIDR"))
    except WeaveCidrError as error:
        raise UsageError(str(error)) from None


def value_of(environ: Mapping[bytes, bytes], name: str) -> str:
    """A variable as text; an absent one is an empty one."""
    return environ.get(name.encode(), b"").decode("ascii", "surrogateescape")
