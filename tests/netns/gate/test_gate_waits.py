"""In real namespaces: the command runs when all is there that was promised, and not before."""

from __future__ import annotations

import signal
import subprocess
import threading
from pathlib import Path

import pytest

from tests.netns.gate.space import Space

MADE = "link add ethwe type veth peer name far"
UP, FAR_UP, ADDED = "link set ethwe up", "link set far up", "addr add 10.2.1.5/24 dev ethwe"


def test_what_is_there_already_is_not_waited_for(space: Space) -> None:
    space.attach("10.2.1.5/24")
    result = space.gate("echo", "hello", "world").finish()
    assert (result.code, result.out, result.err) == (0, "hello world\n", "")


def test_without_a_command_it_waits_and_exits_0(space: Space) -> None:
    gate = space.gate().settled()
    space.attach("10.2.1.5/24")
    assert gate.finish().code == 0


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([MADE, FAR_UP, UP, ADDED], id="address last"),
        pytest.param([MADE, FAR_UP, ADDED, UP], id="up last"),
        pytest.param([MADE, UP, ADDED, FAR_UP], id="carrier last"),
        pytest.param([MADE, FAR_UP, "addr add 10.2.1.6/24 dev ethwe", UP, ADDED], id="other first"),
        pytest.param([MADE, FAR_UP, "addr add 10.2.1.5/16 dev ethwe", UP, ADDED], id="prefix"),
        pytest.param([MADE, FAR_UP, UP, "addr add 10.2.1.5/24 dev far", ADDED], id="other end"),
        pytest.param(
            [MADE, FAR_UP, UP, "link del ethwe", MADE, FAR_UP, UP, ADDED], id="deleted, made again"
        ),
        pytest.param(
            [MADE, FAR_UP, ADDED, "link del ethwe", MADE, ADDED, UP, FAR_UP], id="made again, twice"
        ),
        pytest.param(
            [
                "link add veth1 type veth peer name far",
                FAR_UP,
                "addr add 10.2.1.5/24 dev veth1",
                "link set veth1 up",
                "link set veth1 down",
                "link set veth1 name ethwe",
                UP,
            ],
            id="renamed",
        ),
        pytest.param(
            [
                MADE,
                FAR_UP,
                "link set ethwe name veth1",
                "addr add 10.2.1.5/24 dev veth1",
                "link set veth1 up",
                MADE.replace("far", "far2"),
                "link set far2 up",
                UP,
                "addr del 10.2.1.5/24 dev veth1",
                ADDED,
            ],
            id="renamed away, and another in its place",
        ),
        pytest.param(
            [
                MADE,
                "link add weave type bridge",
                FAR_UP,
                UP,
                "link set ethwe master weave",
                "link set ethwe nomaster",
                ADDED,
            ],
            id="no longer a bridge's port",
        ),
    ],
)
def test_only_the_last_step_makes_it_ready(space: Space, steps: list[str]) -> None:
    gate = space.gate("ip", "-br", "-4", "addr", "show", "dev", "ethwe").settled()
    for step in steps[:-1]:
        space.ip(step)
        gate.settled()
    space.ip(steps[-1])
    result = gate.finish()
    assert result.code == 0
    assert "10.2.1.5/24" in result.out


def test_every_promised_address_is_waited_for(space: Space) -> None:
    gate = space.gate("true", wanted="10.2.1.5/24,10.2.1.6/24 net:10.3.0.0/16").settled()
    space.attach("10.2.1.6/24", "10.9.9.9/8")
    gate.settled()
    space.ip(ADDED)
    gate.settled()
    space.ip("addr add 10.3.77.1/16 dev ethwe")
    assert gate.finish().code == 0


def test_an_address_that_went_again_does_not_count(space: Space) -> None:
    gate = space.gate("true", wanted="10.2.1.5/24,10.2.1.6/24").settled()
    space.attach("10.2.1.5/24")
    space.ip("addr del 10.2.1.5/24 dev ethwe", "addr add 10.2.1.6/24 dev ethwe")
    gate.settled()
    space.ip(ADDED)
    assert gate.finish().code == 0


@pytest.mark.parametrize("promise", [None, "", "net:default"])
def test_no_promise_or_an_open_one_takes_any_address(space: Space, promise: str | None) -> None:
    gate = space.gate("true", wanted=promise).settled()
    space.attach()
    # The link-local one that IPv6 brings by itself is none.
    gate.settled()
    space.ip("addr add 10.44.0.7/12 dev ethwe")
    assert gate.finish().code == 0


def test_a_link_local_address_alone_is_not_ready(space: Space) -> None:
    gate = space.gate("true", wanted=None).settled()
    space.attach()
    while "tentative" in space.ip("-6 addr show dev ethwe"):
        gate.settled()
    gate.settled()
    assert "scope link" in space.ip("-6 addr show dev ethwe")
    space.ip("addr add 2001:db8::5/64 dev ethwe nodad")
    assert gate.finish().code == 0


def test_a_tentative_address_is_waited_for(space: Space) -> None:
    gate = space.gate("ip", "-6", "addr", "show", "dev", "ethwe", wanted="2001:db8::5/64").settled()
    space.attach("2001:db8::5/64")
    gate.settled()
    assert "tentative" in space.ip("-6 addr show dev ethwe to 2001:db8::5")
    result = gate.finish()
    (line,) = [line for line in result.out.splitlines() if "2001:db8::5/64" in line]
    assert (result.code, "tentative" in line) == (0, False)


def test_v4_does_not_wait_for_v6(space: Space) -> None:
    space.attach("10.2.1.5/24", "2001:db8::5/64")
    result = space.gate("ip", "-6", "addr", "show", "dev", "ethwe").finish()
    assert "tentative" in result.out


def test_a_promised_address_that_another_host_has_fails_at_once(space: Space) -> None:
    gate = space.gate("true", wanted="2001:db8::5/64").settled()
    space.ip(MADE, FAR_UP, "addr add 2001:db8::5/64 dev far nodad", UP)
    space.ip("addr add 2001:db8::5/64 dev ethwe")
    result = gate.finish()
    assert result.code == 1
    assert "will not become ready:" in result.err
    assert "address 2001:db8::5/64: in use by another host (DAD failed)" in result.err


def test_an_interface_that_is_moved_in(space: Space, other_space: Space) -> None:
    gate = space.gate("true").settled()
    other_space.ip("link add ethwe type veth peer name far", FAR_UP)
    other_space.ip(f"link set ethwe netns {space.pid}")
    gate.settled()
    space.ip(ADDED, UP)
    assert gate.finish().code == 0


def test_an_interface_that_is_moved_out_is_not_ready(space: Space, other_space: Space) -> None:
    gate = space.gate("true", wanted="10.2.1.5/24,10.2.1.6/24").settled()
    space.attach("10.2.1.5/24")
    space.ip(f"link set ethwe netns {other_space.pid}")
    gate.settled()
    other_space.ip("addr add 10.2.1.5/24 dev ethwe", "addr add 10.2.1.6/24 dev ethwe", UP)
    gate.settled()
    other_space.ip(f"link set ethwe netns {space.pid}")
    space.ip(ADDED, "addr add 10.2.1.6/24 dev ethwe", UP)
    assert gate.finish().code == 0


def test_lost_events_are_made_up_for(space: Space) -> None:
    space.attach()
    gate = space.gate("true").settled()
    gate.send(signal.SIGSTOP)
    flood = "addr add 10.9.0.1/8 dev ethwe\naddr del 10.9.0.1/8 dev ethwe\n" * 1000
    command = space.enter("ip", "-batch", "-")
    subprocess.run(command, input=f"{flood}{ADDED}\n", text=True, check=True)
    assert drops(gate.pid) > 0
    gate.send(signal.SIGCONT)
    assert gate.finish().code == 0


def test_what_was_told_in_time_counts_also_when_it_is_read_too_late(space: Space) -> None:
    gate = space.gate("true", WAIT_FOR_SECONDS="1.5").settled()
    gate.send(signal.SIGSTOP)
    space.attach("10.2.1.5/24")
    threading.Event().wait(1.6)
    gate.send(signal.SIGCONT)
    assert gate.finish().code == 0


def drops(pid: int) -> int:
    """The messages that the gate's socket had no room for."""
    rows = Path(f"/proc/{pid}/net/netlink").read_text().splitlines()[1:]
    return sum(int(row.split()[8]) for row in rows if row.split()[3] == "00000111")


def ipv6_off(space: Space, interface: str) -> None:
    path = f"/proc/sys/net/ipv6/conf/{interface}/disable_ipv6"
    subprocess.run(space.enter("sh", "-c", f"echo 1 > {path}"), check=True)


def test_without_ipv6_ipv4_is_waited_for_as_ever(space: Space) -> None:
    ipv6_off(space, "all")
    gate = space.gate("true").settled()
    space.attach("10.2.1.5/24")
    assert gate.finish().code == 0


def test_ipv6_that_is_off_is_named(space: Space) -> None:
    space.attach("10.2.1.5/24")
    ipv6_off(space, "ethwe")
    result = space.gate("true", wanted="2001:db8::5/64", WAIT_FOR_WEAVE_TIMEOUT="0.1").finish()
    hint = "IPv6 is off on ethwe (/proc/sys/net/ipv6/conf/ethwe/disable_ipv6 is 1); "
    assert result.code == 1
    assert hint in result.err
