"""The only socket and the only poll(2) of the gate: wait until the verdict or the deadline."""

from __future__ import annotations

from _socket import AF_NETLINK, MSG_TRUNC, SOCK_NONBLOCK, SOCK_RAW, socket
from errno import ENOBUFS
from select import POLLIN, poll
from time import monotonic

from waitforweave.gate import conditions, uapi
from waitforweave.gate.conditions import Verdict
from waitforweave.gate.monitor import WATCHING, Monitor, NetlinkFailed
from waitforweave.gate.nlmsg import NetlinkDecodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from waitforweave.gate.asked import Asked
    from waitforweave.gate.links import Links
    from waitforweave.gate.progress import Progress

    Seen: TypeAlias = tuple[Verdict, Links]

GROUPS = uapi.RTMGRP_LINK | uapi.RTMGRP_IPV4_IFADDR | uapi.RTMGRP_IPV6_IFADDR
ROUTE_GROUPS = uapi.RTMGRP_IPV4_ROUTE | uapi.RTMGRP_IPV6_ROUTE
# The kernel builds dumps of at most 32 KiB for us (net/netlink/af_netlink.c, netlink_recvmsg);
# a link with many virtual functions is longer than that by itself.
DATAGRAM_BYTES = 1 << 16
# Where there are no events (linux.md).
LOOK_MILLISECONDS = 50
# poll(2) takes an int of milliseconds: 24 days, after which it is called again.
MAX_MILLISECONDS = (1 << 31) - 1


class GateError(Exception):
    """The gate itself cannot work here; says why."""


class Wait:
    """What is waited for, and until when: `deadline` by the monotonic clock, None for ever.

    `wake_fd` becomes readable when the wait is to end at once.
    """

    __slots__ = ("asked", "deadline", "progress", "wake_fd")

    def __init__(
        self, asked: Asked, deadline: float | None, wake_fd: int, progress: Progress
    ) -> None:
        self.asked = asked
        self.deadline = deadline
        self.wake_fd = wake_fd
        self.progress = progress

    def judge(self, links: Links) -> Verdict:
        return conditions.judge(links, self.asked)

    def goes_on(self, verdict: Verdict) -> bool:
        """Is there more to wait for? Then whoever looks on may hear of it."""
        if verdict.state != conditions.WAITING:
            return False
        now = monotonic()
        if not self.is_late(now):
            self.progress.waiting(verdict, now)
        return True

    def is_late(self, now: float) -> bool:
        return self.deadline is not None and self.deadline <= now

    def milliseconds_left(self, now: float) -> int | None:
        """Until the clock matters, rounded up, as poll(2) takes it; None: never."""
        times = [time for time in (self.deadline, self.progress.due) if time is not None]
        if not times:
            return None
        return min(max(0, -int(-(min(times) - now) * 1000 // 1)), MAX_MILLISECONDS)


def wait(what: Wait) -> Seen:
    """READY or HOPELESS; WAITING when the deadline passed or `wake_fd` became readable.

    With what was seen last. Raises GateError.
    """
    try:
        return watch(what)
    except (OSError, NetlinkFailed, NetlinkDecodeError) as error:
        return look(what, error)


def watch(what: Wait) -> Seen:
    """By netlink: subscribe, dump, follow. Raises OSError, NetlinkFailed, NetlinkDecodeError."""
    with_routes = bool(what.asked.routes)
    sock = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, uapi.NETLINK_ROUTE)
    try:
        sock.bind((0, GROUPS | ROUTE_GROUPS if with_routes else GROUPS))
        seen = follow(what, sock, Monitor(sock.getsockname()[0], with_routes=with_routes))
    except (OSError, NetlinkFailed, NetlinkDecodeError):
        sock.close()
        raise
    # Exec closes it, or our end; doing it here would keep the command waiting.
    sock.detach()
    return seen


def follow(what: Wait, sock: socket, monitor: Monitor) -> Seen:
    """Feed the monitor from the socket until its links are ready."""
    poller, fd = poll(), sock.fileno()
    poller.register(fd, POLLIN)
    poller.register(what.wake_fd, POLLIN)
    request: bytes | None = monitor.start()
    while True:
        if request is not None:
            sock.send(request)
        if monitor.state == WATCHING:
            verdict = what.judge(monitor.links)
            if verdict.state == conditions.READY and monitor.in_doubt:
                sock.send(monitor.start())
            elif not what.goes_on(verdict):
                return verdict, monitor.links
        events = poller.poll(what.milliseconds_left(monotonic()))
        is_from_kernel = len(events) == 1 and events[0][0] == fd
        # By the clock only when all is read that was told in time: whoever was stopped, or starved
        # of CPU, finds the network there and the time over at once.
        if not is_from_kernel and (events or what.is_late(monotonic())):
            # Were it ready, it would have ended above, unless what is known is out of date.
            findings = what.judge(monitor.links).findings
            return Verdict(conditions.WAITING, findings), monitor.links
        request = receive(sock, monitor)


def receive(sock: socket, monitor: Monitor) -> bytes | None:
    """One datagram for the monitor; its next request, if there is one."""
    try:
        datagram, _, flags, (sender, _) = sock.recvmsg(DATAGRAM_BYTES)
    except BlockingIOError:
        return None
    except OSError as error:
        if error.errno != ENOBUFS:
            raise
        return monitor.lost()
    if flags & MSG_TRUNC:
        raise NetlinkFailed(f"a datagram of more than {DATAGRAM_BYTES} bytes")
    return monitor.receive(datagram, sender)


def look(what: Wait, why: Exception) -> Seen:
    """Without netlink: look again and again. Raises GateError if that does not work either."""
    from waitforweave.gate import ioctls

    poller = poll()
    poller.register(what.wake_fd, POLLIN)
    while True:
        try:
            links = ioctls.snapshot(what.asked)
        except OSError as error:
            raise GateError(f"no netlink ({why}) and no ioctl ({error})") from error
        verdict = what.judge(links)
        if not what.goes_on(verdict) or what.is_late(monotonic()):
            return verdict, links
        left = what.milliseconds_left(monotonic())
        if poller.poll(LOOK_MILLISECONDS if left is None else min(LOOK_MILLISECONDS, left)):
            return verdict, links
