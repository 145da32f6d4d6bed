"""The command `wait-for-weave`: options, watch, execute."""

from __future__ import annotations

import posix
import sys
from time import monotonic

from waitforweave.gate import conditions, execute, launcher, loop, options, report
from waitforweave.gate.execute import CommandError
from waitforweave.gate.loop import GateError, Wait
from waitforweave.gate.options import UsageError
from waitforweave.gate.progress import Progress
from waitforweave.gate.report import Log
from waitforweave.gate.signals import Signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from waitforweave.gate.conditions import Verdict
    from waitforweave.gate.launcher import Launch
    from waitforweave.gate.links import Links
    from waitforweave.gate.options import Options

OK, NOT_READY, USAGE, GATE_FAILED, SIGNALLED = 0, 1, 2, 125, 128
# Terminals that do not know how to write over a line.
PLAIN_TERMINALS = (b"", b"dumb")


def main() -> int:
    """Run the gate; returns the exit code of design.md, if no command took the process over."""
    log = Log(monotonic())
    try:
        occupy_standard_fds()
        return run(log)
    except UsageError as error:
        log.form = error.log_format
        return failed(log, f"{error}", USAGE)
    except CommandError as error:
        return failed(log, f"{error}", error.code)
    except Exception as error:  # noqa: BLE001 - 1 would say that the time ran out
        message = f"{error}" if isinstance(error, GateError) else f"internal error: {error!r}"
        return failed(log, message, GATE_FAILED)


def failed(log: Log, message: str, code: int) -> int:
    log.say("error", message, code=code)
    return code


def run(log: Log) -> int:
    """Look at the command, wait, and become it.

    Raises UsageError, CommandError, GateError.
    """
    launch = launcher.read(posix.environ)
    signals = Signals(launch.mask, launch.ignored) if launch else Signals()
    chosen = options.read(sys.argv[1:], posix.environ)
    log.form = chosen.log_format
    if chosen.action in (options.QUIT, options.HELP, options.VERSION, options.INSTALL):
        return answer(chosen, launch, signals)
    if chosen.action == options.EXPLAIN:
        return explain(chosen, log, signals)
    # A command that is not there fails now, not after the wait (runc does the same).
    file = b""
    if chosen.command:
        file = execute.find(chosen.command[0], posix.environ.get(b"PATH"))
        # What needs no network is done before the wait: nothing of it may delay the command.
        execute.clean_environment(launch)
    if chosen.action == options.WAIT:
        code = wait(chosen, log, signals)
        if code != OK:
            return code
    return hand_over(chosen, signals, launch, file) if chosen.command else OK


def occupy_standard_fds() -> None:
    """Where 0, 1 or 2 is closed, keep it from becoming one of ours, which a message would go to.

    O_PATH: what is read or written there fails as if it were closed; exec closes it again.
    """
    fd = 0
    while fd <= report.STDERR:
        fd = posix.open("/", posix.O_PATH | posix.O_CLOEXEC)
    posix.close(fd)


def answer(chosen: Options, launch: Launch | None, signals: Signals) -> int:
    """What needs no waiting and runs no command. Raises GateError."""
    if chosen.action == options.HELP:
        from waitforweave.gate.usage import USAGE as TEXT

        return printed(TEXT, signals, OK)
    if chosen.action == options.VERSION:
        from waitforweave import __version__

        return printed(f"wait-for-weave {__version__}\n", signals, OK)
    if chosen.action == options.INSTALL:
        from waitforweave.gate.install import install

        install(launch, chosen.folder)
    return OK


def printed(text: str, signals: Signals, code: int) -> int:
    """Write it to stdout, which may be a full pipe; `code`, or that of a signal that came."""
    report.write(report.STDOUT, text, wake_fd=signals.fd)
    number = signals.caught()
    return code if number is None else SIGNALLED + number


def explain(chosen: Options, log: Log, signals: Signals) -> int:
    """What would be waited for, and what is there now. Raises GateError."""
    from waitforweave.gate import explain as explanation

    silent = Progress(log, options.QUIET)
    verdict, links = loop.wait(Wait(chosen.asked, log.started, signals.fd, silent))
    code = OK if verdict.state == conditions.READY else NOT_READY
    if chosen.log_format == options.JSON:
        text = log.json("explain", verdict.reason, code, verdict.findings)
    else:
        text = explanation.text(chosen, verdict, links)
    return printed(text, signals, code)


def wait(chosen: Options, log: Log, signals: Signals) -> int:
    """Until ready; the exit code, OK if the command may run. Raises GateError."""
    terminal = posix.environ.get(b"TERM", b"") not in PLAIN_TERMINALS
    log.on_terminal = terminal and posix.isatty(report.STDERR)
    progress = Progress(log, chosen.level)
    deadline = None if chosen.seconds is None else log.started + chosen.seconds
    verdict, links = loop.wait(Wait(chosen.asked, deadline, signals.fd, progress))
    # A signal that came as well is found at the hand-over, or ends nothing that would go on.
    if verdict.state == conditions.READY:
        progress.ready(verdict, monotonic())
        return OK
    number = signals.caught()
    if number is not None:
        reason = f"ended by signal {number} while waiting: {verdict.reason}"
        log.say("signal", reason, code=SIGNALLED + number, verdict=verdict)
        return SIGNALLED + number
    return give_up(chosen, log, verdict, links)


def give_up(chosen: Options, log: Log, verdict: Verdict, links: Links) -> int:
    """Not ready, and no more waiting: what was there, what was missing, and what now."""
    code = NOT_READY if chosen.on_timeout == options.FAIL else None
    end = "" if code else "; running the command all the same"
    try:
        from waitforweave.gate import hints

        hint = hints.hint(verdict, chosen.asked, links)
    except ImportError:
        # Removed while we waited, or replaced by another version: no reason to end otherwise.
        hint = "no advice: the gate's own files have gone meanwhile"
    if verdict.state == conditions.HOPELESS or chosen.seconds is None:
        message = f"will not become ready{end}:"
        log.say("hopeless", message, code=code, verdict=verdict, hint=hint)
    else:
        message = f"not ready after {report.duration(chosen.seconds)}{end}:"
        log.say("timeout", message, code=code, verdict=verdict, hint=hint)
    return code or OK


def hand_over(chosen: Options, signals: Signals, launch: Launch | None, file: bytes) -> int:
    """Become the command, whose `file` was found before the wait; the exit code if a signal came
    first. Raises CommandError."""
    path = posix.environ.get(b"PATH")
    hidden = launch if launch is not None and launch.hidden else None
    if hidden is not None:
        # It may have gone or changed meanwhile, and the launcher cannot come back to ask.
        file = execute.find(chosen.command[0], path)
    number = signals.hand_back()
    if number is not None:
        return SIGNALLED + number
    if hidden is not None:
        execute.become_by_launcher(file, chosen.command, hidden)
    try:
        execute.become(file, chosen.command)
    except CommandError:
        # Looked for again only now: nothing may stand between the network and the command.
        execute.become(execute.find(chosen.command[0], path), chosen.command)


if __name__ == "__main__":
    sys.exit(main())
