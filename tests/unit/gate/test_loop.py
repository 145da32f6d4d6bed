"""The rim: how long poll(2) is to wait, and what the socket may answer."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from time import monotonic
from typing import cast

import pytest

from tests.unit.gate.facts import link, link_message
from waitforweave.gate import conditions, loop, options
from waitforweave.gate.asked import Asked
from waitforweave.gate.links import Links
from waitforweave.gate.loop import Wait
from waitforweave.gate.monitor import Monitor, NetlinkFailed
from waitforweave.gate.progress import Progress
from waitforweave.gate.report import Log

Way = Callable[[Wait], tuple[conditions.Verdict, Links]]
NO_SUCH_INTERFACE = Asked(["no-such-iface"])
NOW = 1024.0


def until(deadline: float | None, wake_fd: int = 0, level: options.Level = options.QUIET) -> Wait:
    return Wait(NO_SUCH_INTERFACE, deadline, wake_fd, Progress(Log(NOW), level))


class FakeSocket:
    """Answers recvmsg() with what it is given."""

    def __init__(self, answer: bytes | OSError, flags: int = 0) -> None:
        self.answer = answer
        self.flags = flags

    def recvmsg(self, size: int) -> tuple[bytes, list[object], int, tuple[int, int]]:
        if isinstance(self.answer, OSError):
            raise self.answer
        return self.answer[:size], [], self.flags, (0, 0)


def receive(answer: bytes | OSError, flags: int = 0) -> tuple[bytes | None, Monitor]:
    monitor = Monitor(port_id=1)
    return loop.receive(cast(socket.socket, FakeSocket(answer, flags)), monitor), monitor


def test_without_a_deadline_poll_waits_for_ever() -> None:
    assert until(None).milliseconds_left(NOW) is None


def test_only_what_is_to_be_said_wakes_it_up_before_the_deadline() -> None:
    wait = until(NOW + 1000, level=options.NORMAL)
    assert wait.milliseconds_left(NOW) in (200, 201)  # As binary fractions have it.
    wait.progress.due = None
    assert wait.milliseconds_left(NOW) == 1_000_000


def test_a_deadline_that_passed_is_0() -> None:
    assert until(NOW - 5).milliseconds_left(NOW) == 0


def test_what_is_left_is_rounded_up_so_that_poll_does_not_spin() -> None:
    assert until(NOW + 0.0005).milliseconds_left(NOW) == 1
    assert until(NOW + 1000).milliseconds_left(NOW) == 1_000_000


def test_what_poll_cannot_take_is_waited_for_in_parts() -> None:
    assert until(NOW + 999_999_999).milliseconds_left(NOW) == 2**31 - 1


def test_a_datagram_reaches_the_monitor() -> None:
    _, monitor = receive(link_message(link()))
    assert [one.name for one in monitor.links.all()] == ["ethwe"]


def test_nothing_to_read_is_nothing() -> None:
    request, monitor = receive(BlockingIOError())
    assert request is None
    assert monitor.state == "watching"


def test_lost_events_are_dumped_for() -> None:
    request, monitor = receive(OSError(errno.ENOBUFS, "no buffer space"))
    assert request is not None
    assert monitor.state == "links"


def test_a_cut_datagram_is_a_failure() -> None:
    with pytest.raises(NetlinkFailed, match="a datagram of more than 65536 bytes"):
        receive(link_message(link()), socket.MSG_TRUNC)


def test_other_errors_of_the_socket_are_errors() -> None:
    with pytest.raises(OSError, match="I/O"):
        receive(OSError(errno.EIO, "I/O error"))


@pytest.mark.parametrize("way", [loop.watch, lambda wait: loop.look(wait, OSError("refused"))])
def test_a_wait_ends_by_its_descriptor(way: Way) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"\x0f")
    verdict, _ = way(until(None, reader))
    os.close(reader)
    os.close(writer)
    assert verdict.state == conditions.WAITING


def test_what_a_dump_has_not_confirmed_is_not_ready_when_a_signal_comes() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"\x0f")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    monitor = Monitor(port_id=1)
    monitor.links.update(link())
    what = until(None, reader)
    what.asked = Asked(["ethwe"], state="present")
    assert what.judge(monitor.links).state == conditions.READY
    verdict, _ = loop.follow(what, ours, monitor)
    assert verdict.state == conditions.WAITING
    for fd in (ours.detach(), theirs.detach(), reader, writer):
        os.close(fd)


@pytest.mark.parametrize("way", [loop.watch, lambda wait: loop.look(wait, OSError("refused"))])
def test_a_wait_ends_by_its_deadline_and_says_why(way: Way) -> None:
    reader, writer = os.pipe()
    verdict, links = way(until(monotonic(), reader))
    os.close(reader)
    os.close(writer)
    assert verdict.state == conditions.WAITING
    assert verdict.reason.startswith("interface no-such-iface: not there (interfaces: ")
    assert "lo" in [link.name for link in links.all()]
