"""Each way in which the gate ends without becoming the command, by its exit code and message."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from tests.netns.gate.space import GATE, Gate, Space
from tests.support.pipes import broken_pipe, full_pipe
from waitforweave import __version__

FATAL = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT]


MADE = "link add ethwe type veth peer name far"


@pytest.mark.parametrize(
    ("lines", "wanted", "found", "hint"),
    [
        ([], "10.2.1.5/24",
         ["missing:  interface ethwe: not there (interfaces: lo)",
          "missing:  address 10.2.1.5/24: not there"], "is the container attached?"),
        ([MADE], "10.2.1.5/24",
         ["missing:  interface ethwe: down", "missing:  address 10.2.1.5/24: not there"],
         "nobody has set the interface up"),
        ([MADE, "link set ethwe up", "addr add 10.2.1.5/24 dev ethwe"], "",
         ["missing:  interface ethwe: no carrier, has 10.2.1.5/24"], "the other end of the"),
        ([MADE, "link set ethwe addrgenmode none", "link set far up",
          "addr add 10.2.1.5/24 dev ethwe", "link set ethwe up"],
         "10.2.1.6/24 10.2.1.5/24",
         ["ready:    interface ethwe: has 10.2.1.5/24", "missing:  address 10.2.1.6/24: not there",
          "ready:    address 10.2.1.5/24: on ethwe"], "somebody has to add the address"),
        (["link add weave type bridge"], "",
         ["missing:  interface ethwe: not there (interfaces: lo, weave)"], "is the container"),
    ],
)  # fmt: skip
def test_a_timeout_says_what_was_there_and_what_was_missing(
    space: Space, lines: list[str], wanted: str, found: list[str], hint: str
) -> None:
    space.ip(*lines)
    environ = {"WEAVE_CIDR": wanted, "WAIT_FOR_SECONDS": "0.15"}
    result = space.start(*GATE, "echo", "ran", env=environ).finish()
    assert (result.code, result.out) == (1, "")
    said = [line.removeprefix("wait-for-weave: ") for line in result.err.splitlines()]
    assert said[0] == "not ready after 0.15 s:"
    assert [line.strip() for line in said[1:-1]] == found
    assert said[-1].startswith(hint)
    assert "WAIT_FOR_WEAVE_SKIP=yes" in said[-1]


def test_without_a_free_descriptor_it_is_the_gate_that_failed(space: Space) -> None:
    """1 would say that the time ran out."""
    script = "import resource; from waitforweave.gate import __main__ as gate; " + (
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3)); raise SystemExit(gate.main())"
    )
    result = space.start(sys.executable, "-c", script).finish()
    assert result.code == 125
    assert result.err.startswith("wait-for-weave: internal error: OSError(24")


@pytest.mark.parametrize(("on_timeout", "code", "out"), [("fail", 1, ""), ("run", 0, "ran\n")])
def test_without_its_own_files_it_ends_as_ever(
    space: Space, on_timeout: str, code: int, out: str
) -> None:
    """Its folder may be removed while it waits; what comes late is not there then."""
    script = "import sys; from waitforweave.gate import __main__ as gate; " + (
        "sys.modules['waitforweave.gate.hints'] = None; raise SystemExit(gate.main())"
    )
    words = ["--timeout", "0.01", "--on-timeout", on_timeout, "echo", "ran"]
    result = space.start(sys.executable, "-c", script, *words).finish()
    assert (result.code, result.out) == (code, out)
    assert "missing:  interface ethwe: not there" in result.err
    assert "no advice: the gate's own files have gone meanwhile" in result.err


def test_without_a_reader_of_its_log_it_ends_by_its_own_code(space: Space, tmp_path: Path) -> None:
    """Also when exec has failed, and SIGPIPE has its default action again."""
    file = tmp_path / "no-program"
    file.write_bytes(b"\0")
    file.chmod(0o755)
    writer = broken_pipe()
    words = ["--interface", "lo", "--state", "up", str(file)]
    gate = space.start(*GATE, *words, preexec_fn=lambda: os.dup2(writer, 2))
    assert gate.finish().code == 126
    os.close(writer)


@pytest.mark.parametrize("blocking", [True, False])
def test_a_log_that_nobody_reads_holds_up_neither_signal_nor_command(
    space: Space, blocking: bool
) -> None:
    reader, writer = full_pipe(blocking=blocking)
    words = [*GATE, "--verbose", "echo", "ran"]
    gates = [space.start(*words, preexec_fn=lambda: os.dup2(writer, 2)) for _ in range(2)]
    gates[0].handles(signal.SIGTERM).send(signal.SIGTERM)
    assert gates[0].finish().code == 128 + signal.SIGTERM
    space.attach("10.2.1.5/24")
    assert gates[1].finish().out == "ran\n"
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("option", ["--help", "--version", "--explain"])
def test_a_signal_ends_what_nobody_reads(space: Space, option: str) -> None:
    reader, writer = full_pipe(blocking=True)
    gate = space.start(*GATE, option, preexec_fn=lambda: os.dup2(writer, 1))
    gate.handles(signal.SIGTERM).send(signal.SIGTERM)
    assert gate.finish().code == 128 + signal.SIGTERM
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("number", FATAL)
def test_a_signal_ends_the_wait_at_once(space: Space, number: signal.Signals) -> None:
    gate = space.gate("echo", "ran").settled()
    gate.send(number)
    result = gate.finish()
    assert (result.code, result.out) == (128 + number, "")
    assert result.err.splitlines()[-1] == (
        f"wait-for-weave: ended by signal {number.value} while waiting: interface ethwe: not there "
        "(interfaces: lo); address 10.2.1.5/24: not there"
    )


@pytest.mark.parametrize("number", FATAL)
def test_a_signal_ends_the_wait_as_pid_1_too(space: Space, number: signal.Signals) -> None:
    outer = space.start(
        *("unshare", "--pid", "--fork", "--kill-child", "--", *GATE, "echo", "ran"),
        env={"WEAVE_CIDR": "10.2.1.5/24"},
    )
    first = pid_1_of(outer, space)
    assert psutil.Process(first.pid).status() == psutil.STATUS_SLEEPING
    first.send(number)
    result = outer.finish()
    assert (result.code, result.out) == (128 + number, "")


def pid_1_of(outer: Gate, space: Space) -> Gate:
    """The gate that `unshare --fork` runs as pid 1 of its namespace, once it waits."""
    while not (children := psutil.Process(outer.pid).children()):
        assert outer.process.poll() is None
    inner = Gate(outer.process)
    inner.pid = children[0].pid
    return inner.settled()


@pytest.mark.parametrize("number", FATAL)
def test_a_signal_that_was_ignored_stays_ignored(space: Space, number: signal.Signals) -> None:
    gate = space.start(
        *GATE, "grep", "SigIgn", "/proc/self/status",
        env={"WEAVE_CIDR": "10.2.1.5/24"},
        preexec_fn=lambda: signal.signal(number, signal.SIG_IGN),
    ).settled()  # fmt: skip
    gate.send(number)
    gate.settled()
    space.attach("10.2.1.5/24")
    result = gate.finish()
    assert result.code == 0
    assert int(result.out.split()[1], 16) >> (number - 1) & 1


def test_a_blocked_signal_is_kept_for_the_command(space: Space) -> None:
    gate = space.start(
        *GATE, "grep", "ShdPnd", "/proc/self/status",
        env={"WEAVE_CIDR": "10.2.1.5/24"},
        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]),
    ).settled()  # fmt: skip
    gate.send(signal.SIGTERM)
    gate.settled()
    space.attach("10.2.1.5/24")
    result = gate.finish()
    assert int(result.out.split()[1], 16) == 1 << (signal.SIGTERM - 1)


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (["nosuch"], 127, "nosuch: not found in PATH"),
        (["/nosuch"], 127, "/nosuch: no such file"),
        (["/"], 126, "/: is a directory"),
        (["/etc/passwd"], 126, "/etc/passwd: permission denied"),
    ],
)
def test_a_command_that_cannot_be_run_fails_before_the_wait(
    space: Space, command: list[str], code: int, message: str
) -> None:
    result = space.gate(*command).finish()
    assert (result.code, result.out) == (code, "")
    assert result.err.startswith(f"wait-for-weave: {message}")


def test_a_command_that_goes_while_waiting_is_looked_for_again(
    space: Space, tmp_path: Path
) -> None:
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    gate = space.gate(str(tool)).settled()
    tool.unlink()
    space.attach("10.2.1.5/24")
    assert gate.finish().code == 127


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b"echo no shell of ours runs this\n", 126, "exec format error"),
        (b"", 126, "exec format error"),
        (b"\x7fELFnonsense", 126, "exec format error"),
        (b"#!/nonexistent/interpreter\n", 127, "no such file, or its interpreter is not there"),
    ],
)
def test_what_the_kernel_does_not_execute(
    space: Space, tmp_path: Path, content: bytes, code: int, message: str
) -> None:
    tool = tmp_path / "tool"
    tool.write_bytes(content)
    tool.chmod(0o755)
    space.attach("10.2.1.5/24")
    result = space.gate(str(tool)).finish()
    assert (result.code, result.out) == (code, "")
    assert result.err.startswith("wait-for-weave: ")
    assert message in result.err


@pytest.mark.parametrize(
    ("argv", "environ", "message"),
    [
        (["--halp"], {}, 'unknown option "--halp"; allowed: --interface, '),
        (["true"], {"WAIT_FOR_SECONDS": "soon"}, 'WAIT_FOR_SECONDS: "soon" is no number'),
        (["true"], {"WEAVE_CIDR": "10.2.1.300/24"}, 'WEAVE_CIDR: "10.2.1.300/24" is not an IP'),
        (["true"], {"WAIT_FOR_WEAVE_SKIP": "1"}, 'WAIT_FOR_WEAVE_SKIP: "1" is wrong; allowed'),
        (["nosuch"], {"WEAVE_CIDR": "10.2.1.0/24"}, 'WEAVE_CIDR: "10.2.1.0/24" is a network'),
    ],
)
def test_bad_options_and_values_are_2(
    space: Space, argv: list[str], environ: dict[str, str], message: str
) -> None:
    result = space.start(*GATE, *argv, env=environ).finish()
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"wait-for-weave: {message}")
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("argv", "environ"),
    [
        (["echo", "ran"], {"WAIT_FOR_WEAVE_SKIP": "yes", "WEAVE_CIDR": "nonsense"}),
        (["echo", "ran"], {"WEAVE_CIDR": "none"}),
        (["--", "echo", "ran"], {"WEAVE_CIDR": "none"}),
    ],
)
def test_what_runs_at_once(space: Space, argv: list[str], environ: dict[str, str]) -> None:
    result = space.start(*GATE, *argv, env=environ).finish()
    assert (result.code, result.out, result.err) == (0, "ran\n", "")


def test_quit_runs_nothing_and_says_nothing(space: Space) -> None:
    result = space.gate("echo", "ran", WAIT_FOR_WEAVE_QUIT="yes").finish()
    assert (result.code, result.out, result.err) == (0, "", "")


def test_help_and_version(space: Space) -> None:
    assert space.gate("--version").finish().out == f"wait-for-weave {__version__}\n"
    result = space.gate("--help").finish()
    assert result.code == 0
    assert result.out.startswith("Usage: wait-for-weave [OPTION...] [--] [COMMAND")


def test_the_command_s_own_exit_code_is_the_gate_s(space: Space) -> None:
    space.attach("10.2.1.5/24")
    assert space.gate("sh", "-c", "exit 77").finish().code == 77
