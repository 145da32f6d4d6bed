"""The options, each in a real namespace: not ready before the last step, and ready after it."""

from __future__ import annotations

import json
import os
import pty
import signal

import pytest

from tests.netns.gate.space import GATE, GROUPS, ROUTE_GROUPS, Gate, Space

TUN = ["link add tun0 type veth peer name tfar", "link set tfar up", "link set tun0 up"]
ETH = ["link add eth1 type veth peer name efar", "link set efar up", "link set eth1 up"]


def start(space: Space, *options: str, **environ: str) -> Gate:
    return space.start(*GATE, *options, "echo", "ran", env=environ)


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ("--interface tun0", [*TUN, "addr add 10.8.0.2/24 dev tun0"]),
        ("--interface tun0 --state present", [TUN[0]]),
        ("--interface tun0 --state up", [TUN[0], "link set tun0 up"]),
        ("--interface tun0 --state carrier", TUN),
        ("--interface tun0 --interface eth1 --state carrier", [*TUN, *ETH]),
        ("--interface tun0 --interface eth1 --any --state up", [TUN[0], "link set tun0 up"]),
        ("--interface eth* --interface tun? --count 2 --state carrier", [*TUN, *ETH]),
        ("--interface tun0 --address 10.8.0.2",
         [*TUN, "addr add 10.8.0.3/24 dev tun0", "addr add 10.8.0.2/31 dev tun0"]),
        ("--interface tun0 --family inet6",
         [*TUN, "addr add 10.8.0.3/24 dev tun0", "-6 addr add fd00::2/64 dev tun0 nodad"]),
        ("--interface tun0 --route default",
         [*TUN, "addr add 10.8.0.3/24 dev tun0", *ETH, "addr add 10.7.0.3/24 dev eth1",
          "route add default via 10.7.0.1", "route add default via 10.8.0.1 metric 9"]),
        ("--interface tun0 --route 224.0.0.0/4 --route fd00:9::/32",
         [*TUN, "addr add 10.8.0.3/24 dev tun0", "-6 addr add fd00::2/64 dev tun0 nodad",
          "route add 224.0.0.0/4 dev tun0", "-6 route add fd00:9::/32 dev tun0 table 77"]),
    ],
)  # fmt: skip
def test_only_the_last_step_makes_it_ready(space: Space, options: str, steps: list[str]) -> None:
    gate = start(space, *options.split()).settled()
    for step in steps[:-1]:
        space.ip(step)
        gate.settled()
    space.ip(steps[-1])
    result = gate.finish()
    assert (result.code, result.out) == (0, "ran\n")


def test_a_route_that_went_untold_is_not_taken_for_there(space: Space) -> None:
    """The kernel says nothing of the IPv4 routes that a link takes along when it goes down."""
    space.ip(*TUN, "addr add 10.8.0.3/24 dev tun0", "route add 224.0.0.0/4 dev tun0")
    gate = start(space, "--interface", "tun0", "--route", "224.0.0.0/4", "--address", "10.9.9.9")
    gate.settled()
    space.ip("link set tun0 down", "link set tun0 up")
    gate.settled()
    space.ip("addr add 10.9.9.9/32 dev tun0")
    gate.settled()
    space.ip("route add 224.0.0.0/4 dev tun0")
    assert gate.finish().code == 0


def test_a_route_that_was_replaced_is_not_taken_for_there(space: Space) -> None:
    """The kernel tells of the new one alone."""
    space.ip(*TUN, *ETH, "route add 224.0.0.0/4 dev tun0")
    words = ["--interface", "tun0", "--address", "10.9.9.9", "--route", "224.0.0.0/4"]
    gate = start(space, *words, WAIT_FOR_SECONDS="1").settled()
    space.ip("route replace 224.0.0.0/4 dev eth1")
    space.ip("addr add 10.9.9.9/32 dev tun0")
    result = gate.finish()
    assert (result.code, result.out) == (1, "")
    assert "missing:  route 224.0.0.0/4: only out of eth1" in result.err


def test_a_route_comes_alive_with_its_interface(space: Space) -> None:
    """The kernel says nothing of IPv4 routes whose interface finds its carrier."""
    space.ip(TUN[0], "link set tun0 up", "addr add 10.8.0.3/24 dev tun0")
    space.ip("route add 224.0.0.0/4 dev tun0")
    gate = start(space, "--interface", "tun0", "--route", "224.0.0.0/4").settled()
    space.ip("link set tfar up")
    assert gate.finish().out == "ran\n"


def test_routes_are_heard_of_only_where_they_are_asked_for(space: Space) -> None:
    gate = start(space, "--interface", "tun0").settled()
    assert gate.groups() == [GROUPS]
    gate.send(signal.SIGTERM)
    gate.finish()
    gate = start(space, "--interface", "tun0", "--route", "default").settled()
    assert gate.groups() == [ROUTE_GROUPS]


def test_when_the_time_is_up_the_command_may_run_all_the_same(space: Space) -> None:
    result = start(space, "--timeout", "0.1", "--on-timeout", "run").finish()
    assert (result.code, result.out) == (0, "ran\n")
    assert result.err.startswith(
        "wait-for-weave: not ready after 0.1 s; running the command all the same:\n"
    )


def test_a_promise_that_cannot_be_kept_does_not_hold_up_who_may_run(space: Space) -> None:
    space.ip(*TUN, "addr add 2001:db8::5/64 dev tfar nodad", "addr add 2001:db8::5/64 dev tun0")
    words = ["--interface", "tun0", "--address", "2001:db8::5", "--on-timeout", "run"]
    result = start(space, *words, WAIT_FOR_SECONDS="0").finish()
    assert (result.code, result.out) == (0, "ran\n")
    assert "will not become ready; running the command all the same:" in result.err


def test_the_environment_asks_as_well(space: Space) -> None:
    gate = start(
        space,
        WAIT_FOR_WEAVE_INTERFACE="tun0,eth1",
        WAIT_FOR_WEAVE_STATE="up",
        WAIT_FOR_WEAVE_ANY="yes",
    ).settled()
    space.ip(*ETH)
    assert gate.finish().out == "ran\n"


def test_json_tells_the_whole_story(space: Space) -> None:
    gate = start(space, "--log-format", "json", "--verbose", "--interface", "tun0").settled()
    for step in (*TUN, "addr add 10.8.0.2/24 dev tun0"):
        space.ip(step)
    said = [json.loads(line) for line in gate.finish().err.splitlines()]
    assert [one["event"] for one in said][:2] == ["waiting", "changed"]
    assert said[0]["asked"] == [
        {"what": "interface tun0", "state": "missing", "found": "not there (interfaces: lo)"}
    ]
    last = said[-1]
    assert (last["event"], last["asked"][0]["state"]) == ("ready", "ready")
    assert last["asked"][0]["found"].startswith("has 10.2.1.5/24") is False
    assert "10.8.0.2/24" in last["asked"][0]["found"]
    assert [one["seconds"] for one in said] == sorted(one["seconds"] for one in said)


@pytest.mark.parametrize("level", ["--quiet", ""])
def test_a_timeout_is_said_also_when_quiet(space: Space, level: str) -> None:
    result = start(space, *filter(None, [level]), "--timeout", "0.3").finish()
    lines = result.err.splitlines()
    assert ("waiting: interface ethwe: not there" in lines[0]) is (level == "")
    assert "not ready after 0.3 s:" in "".join(lines)


def test_a_command_that_runs_late_is_told_of_twice_and_no_more(space: Space) -> None:
    gate = start(space, "--interface", "tun0")
    assert gate.process.stderr is not None
    assert gate.process.stderr.readline() == (
        b"wait-for-weave: waiting: interface tun0: not there (interfaces: lo)\n"
    )
    space.ip(*TUN, "addr add 10.8.0.2/24 dev tun0")
    result = gate.finish()
    assert result.out == "ran\n"
    (line,) = result.err.splitlines()
    assert line.startswith("wait-for-weave: ready after ")
    assert line.endswith("s: interface tun0: has 10.8.0.2/24") or "10.8.0.2/24" in line


def test_a_terminal_has_one_line_that_is_kept_current(space: Space) -> None:
    ours, theirs = pty.openpty()
    script = f'exec "$@" 2>/dev/fd/{theirs}'
    gate = space.start(
        "sh", "-c", script, "sh", *GATE, "--interface", "tun0", "--verbose", "echo", "ran",
        env={"TERM": "xterm"}, pass_fds=[theirs],
    )  # fmt: skip
    shown = b""
    while b"not there" not in shown:
        shown += os.read(ours, 4096)
    space.ip(*TUN, "addr add 10.8.0.2/24 dev tun0")
    assert gate.finish().out == "ran\n"
    while b"ready after" not in shown or not shown.endswith(b"\n"):
        shown += os.read(ours, 4096)
    os.close(ours)
    os.close(theirs)
    *written_over, last = shown.split(b"\r\x1b[K")
    assert shown.count(b"\n") == 1
    assert b"\rwait-for-weave: waiting: interface tun0: not there" in b"".join(written_over)
    assert last.startswith(b"wait-for-weave: ready after ")


@pytest.mark.parametrize(("cidr", "code", "end"), [("10.2.1.5/24", 0, "Ready."),
                                                   ("10.2.1.6/24", 1, "Not ready.")])  # fmt: skip
def test_explain_says_what_it_would_wait_for_and_what_it_sees(
    space: Space, cidr: str, code: int, end: str
) -> None:
    space.attach("10.2.1.5/24")
    space.ip("link set ethwe addrgenmode none", "link set far addrgenmode none")
    space.ip("route add 224.0.0.0/4 dev ethwe")
    words = ["--explain", "--route", "224.0.0.0/4"]
    result = start(space, *words, WEAVE_CIDR=cidr, WAIT_FOR_SECONDS="7").finish()
    assert (result.code, result.err) == (code, "")
    lines = result.out.splitlines()
    assert lines[0].endswith("would wait at most 7 s, then run echo.")
    assert lines[-1] == end
    assert "  ready:    route 224.0.0.0/4: out of ethwe" in lines
    assert "224.0.0.0/4 out of ethwe" in result.out
    (ethwe,) = [line for line in lines if line.startswith("  ethwe ")]
    assert "up, carrier, operstate" in ethwe
    assert "10.2.1.5/24" in ethwe


def test_explain_says_so_where_nothing_is_waited_for(space: Space) -> None:
    result = space.start(*GATE, "--explain", "a\x1b\nb", env={"WEAVE_CIDR": "none"}).finish()
    first, second, third, *_, last = result.out.splitlines()
    assert first.endswith(" would wait for nothing, then run a\\x1b\\nb.")
    assert (second, third, last) == ("Asked for (state address):", "  nothing", "Ready.")
    assert (result.code, result.err) == (0, "")


def test_explain_as_json(space: Space) -> None:
    result = start(space, "--explain", "--log-format", "json").finish()
    assert result.code == 1
    said = json.loads(result.out)
    assert (said["event"], said["code"]) == ("explain", 1)
    assert said["asked"][0]["what"] == "interface ethwe"


def test_errors_too_are_json_where_that_was_asked_for(space: Space) -> None:
    for words, code in ((["--state", "x"], 2), (["--", "nosuch"], 127)):
        result = space.start(*GATE, "--log-format", "json", *words, env={}).finish()
        said = json.loads(result.err)
        assert (result.code, said["event"], said["code"]) == (code, "error", code)
