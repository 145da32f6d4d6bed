"""Ahead of the engine's word: a container is attached while the engine still makes it.

Its network namespace is there 40 ms and more before the engine's event "start" (all that runc does
lies between), in which no call tells its process: the engine holds the container's lock. So we look
for ourselves. The engine says whom it connects to a network of its own (event "connect"), and the
kernel that an interface of the host came up: the other end of the container's. Then the container's
first process is among the newest, in a cgroup that bears its id.

Whatever fails here, or cannot be seen, is left to the attach that follows the start.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from waitforweave.attach import netns
from waitforweave.attach.backend import Container
from waitforweave.attach.pair import HOST_END
from waitforweave.gate import nlmsg, rtnl, uapi
from waitforweave.hooks.attaching import Attacher

log = logging.getLogger(__name__)

PROC = Path("/proc")
# More than any datagram of rtnetlink's multicast groups (NLMSG_GOODSIZE, a page).
DATAGRAM_BYTES = 32 * 1024
# How many processes a look is at: for each start that is under way some come after the one that we
# look for, the engine's own helpers; and no look holds all others up for long (20 us for each).
NEWEST, FOR_EACH, MOST = 64, 8, 256


class Ahead:
    """Told by the watcher which containers are about to start."""

    def __init__(self, attacher: Attacher, proc: Path = PROC) -> None:
        self.attacher = attacher
        self.proc = proc
        self.expected: set[str] = set()
        # Whose the newest processes are, as far as they are a container's: that stays so.
        self._whose: dict[int, set[str]] = {}
        # The ifindex of each interface that is up.
        self._up: set[int] = set()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Inside of the block the kernel's events are read."""
        try:
            events = link_events()
        except OSError as error:
            log.warning("interfaces cannot be followed, so none is attached ahead: %s", error)
            yield
            return
        loop = asyncio.get_running_loop()
        loop.add_reader(events, self._readable, events)
        try:
            yield
        finally:
            loop.remove_reader(events)
            events.close()

    def expect(self, container: str) -> None:
        """This one is about to start."""
        # A start that failed has left it: the engine tells of no end then.
        self.attacher.early.forget_ended(container)
        if self.attacher.goes_ahead(container):
            self.expected.add(container)
            # Newer engines say so when they have connected it already.
            self.look()

    def dismiss(self, container: str) -> None:
        """It has started, or ended, or will not start after all."""
        self.expected.discard(container)

    def dismiss_all(self) -> None:
        """What became of them was told while nobody listened."""
        self.expected.clear()

    def _readable(self, events: socket.socket) -> None:
        came = False
        while True:
            try:
                datagram, (sender, _) = events.recvfrom(DATAGRAM_BYTES)
            except BlockingIOError:
                break
            except OSError:  # ENOBUFS: some were lost, and one of them may have been it.
                came = True
                continue
            if sender == 0:  # Whoever else writes to our port is not the kernel.
                came |= self.came_up(datagram)
        if came:
            self.look()

    def came_up(self, datagram: bytes) -> bool:
        """Whether it tells of an interface that was not up before, and is none of ours."""
        came = False
        with suppress(nlmsg.NetlinkDecodeError):
            for message in nlmsg.decode(datagram):
                event = rtnl.decode(message.kind, message.payload)
                if isinstance(event, rtnl.Gone) and isinstance(event.was, rtnl.Link):
                    self._up.discard(event.was.index)
                elif isinstance(event, rtnl.Link):
                    came |= self._note(event)
        return came

    def _note(self, link: rtnl.Link) -> bool:
        if link.operstate != uapi.IF_OPER_UP:
            self._up.discard(link.index)
            return False
        new = link.index not in self._up and not link.name.startswith(HOST_END)
        self._up.add(link.index)
        return new

    def look(self) -> None:
        """Attach whoever of the expected has its first process."""
        if not self.expected:
            self._whose.clear()
            return
        own = os.readlink(netns.OWN)  # noqa: PTH115 - as below
        known, self._whose = self._whose, {}
        for pid in newest(self.proc, min(MOST, NEWEST + FOR_EACH * len(self.expected))):
            process = f"{self.proc}/{pid}"
            containers = known.get(pid) or container_ids(process, own)
            if containers:
                self._whose[pid] = containers
            for container in self.expected & containers:
                if is_connected(process):
                    self.dismiss(container)
                    self.attacher.begin_ahead(Container(container, pid))


def newest(proc: Path, count: int) -> list[int]:
    """The processes that were made last, newest first: the kernel gives the numbers in order, and
    begins again after the highest."""
    last = int((proc / "loadavg").read_text().split()[4])
    pids = [int(name) for name in os.listdir(proc) if name.isdecimal()]  # noqa: PTH208 - names are enough
    return heapq.nsmallest(count, pids, key=lambda pid: (pid > last, -pid))


def container_ids(process: str, own: str) -> set[str]:
    """The ids that its cgroups name; none while it is in the network namespace `own` still, as
    runc's processes are at first, and the engine's helpers for ever."""
    try:
        # Not by pathlib: this is done for each new process.
        if os.readlink(f"{process}/ns/net") == own:  # noqa: PTH115
            return set()
        with open(f"{process}/cgroup", encoding="ascii") as file:  # noqa: PTH123
            return netns.containers_in(file.read())
    except (OSError, ValueError):  # It has ended, or is nobody's that we may see.
        return set()


def is_connected(process: str) -> bool:
    """Whether the engine's own interface is up in its network namespace. Before it gives that one,
    it switches IPv6 off in all of them (libnetwork's SetKey), and takes ours their addresses so;
    whoever looks on another container's account may come that early."""
    try:
        # A head, and a line for each IPv4 route.
        return Path(f"{process}/net/route").read_bytes().count(b"\n") > 1
    except OSError:
        return False


def link_events() -> socket.socket:
    """What the kernel tells of the interfaces of our own network namespace. OSError."""
    events = socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE
    )
    try:
        events.bind((0, uapi.RTMGRP_LINK))
    except OSError:
        events.close()
        raise
    return events
