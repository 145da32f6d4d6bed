"""The command `wait-for-weave`: options, watch, execute."""

from __future__ import annotations

import posix
import sys
from time import monotonic

from waitforweave.gate import conditions, execute, launcher, loop, options, report
from waitforweave.gate.execute import CommandError
from waitforweave.gate.loop import GateError, Wait
from waitforweave.gate.options import UsageError
from waitforweave.gate.signals import Signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from waitforweave.gate.launcher import Launch
    from waitforweave.gate.options import Options

OK, TIMED_OUT, USAGE, GATE_FAILED, SIGNALLED = 0, 1, 2, 125, 128


def main() -> int:
    """Run the gate; returns the exit code of design.md, if no command took the process over."""
    started = monotonic()
    occupy_standard_fds()
    try:
        return run(started)
    except UsageError as error:
        report.say(f"{error}")
        return USAGE
    except CommandError as error:
        report.say(f"{error}")
        return error.code
    except Exception as error:  # noqa: BLE001 - 1 would say that the time ran out
        report.say(f"{error}" if isinstance(error, GateError) else f"internal error: {error!r}")
        return GATE_FAILED


def run(started: float) -> int:
    """Look at the command, wait, look again and become it.

    Raises UsageError, CommandError, GateError.
    """
    launch = launcher.read(posix.environ)
    signals = Signals(launch.mask, launch.ignored) if launch else Signals()
    chosen = options.read(sys.argv[1:], posix.environ)
    if chosen.action in (options.QUIT, options.HELP, options.VERSION):
        return answer(chosen)
    # A command that is not there fails now, not after the wait (runc does the same).
    if chosen.command:
        execute.find(chosen.command[0], posix.environ.get(b"PATH"))
        # What needs no network is done before the wait: nothing of it may delay the command.
        execute.clean_environment(launch)
    if chosen.action == options.WAIT:
        code = wait(chosen, signals, started)
        if code != OK:
            return code
    return hand_over(chosen, signals, launch) if chosen.command else OK


def occupy_standard_fds() -> None:
    """Where 0, 1 or 2 is closed, keep it from becoming one of ours, which a message would go to.

    O_PATH: what is read or written there fails as if it were closed; exec closes it again.
    """
    fd = 0
    while fd <= report.STDERR:
        fd = posix.open("/", posix.O_PATH | posix.O_CLOEXEC)
    posix.close(fd)


def answer(chosen: Options) -> int:
    """What needs no waiting and runs no command."""
    if chosen.action == options.HELP:
        report.write(report.STDOUT, report.USAGE)
    elif chosen.action == options.VERSION:
        from waitforweave import __version__

        report.write(report.STDOUT, f"wait-for-weave {__version__}\n")
    return OK


def wait(chosen: Options, signals: Signals, started: float) -> int:
    """Until ready; the exit code, OK if it is. Raises GateError."""
    deadline = None if chosen.seconds is None else started + chosen.seconds
    verdict = loop.wait(Wait(options.INTERFACE, chosen.wanted, deadline, signals.fd))
    number = signals.caught()
    if number is not None:
        report.say(report.interrupted(number, verdict))
        return SIGNALLED + number
    if verdict.state == conditions.READY:
        return OK
    if verdict.state == conditions.HOPELESS or chosen.seconds is None:
        report.say(report.hopeless(verdict))
    else:
        report.say(report.timed_out(verdict, chosen.seconds))
    return TIMED_OUT


def hand_over(chosen: Options, signals: Signals, launch: Launch | None) -> int:
    """Become the command; the exit code if a signal came first. Raises CommandError."""
    # Again: it may have come, gone or changed while we waited.
    file = execute.find(chosen.command[0], posix.environ.get(b"PATH"))
    number = signals.hand_back()
    if number is not None:
        return SIGNALLED + number
    raise execute.become(file, chosen.command, launch)


if __name__ == "__main__":
    sys.exit(main())
