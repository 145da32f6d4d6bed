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
    from collections.abc import Sequence

    from waitforweave.gate.weave_cidr import Wanted

GROUPS = uapi.RTMGRP_LINK | uapi.RTMGRP_IPV4_IFADDR | uapi.RTMGRP_IPV6_IFADDR
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

    __slots__ = ("deadline", "interface", "wake_fd", "wanted")

    def __init__(
        self, interface: str, wanted: Sequence[Wanted], deadline: float | None, wake_fd: int
    ) -> None:
        self.interface = interface
        self.wanted = wanted
        self.deadline = deadline
        self.wake_fd = wake_fd

    def milliseconds_left(self) -> int | None:
        """Until the deadline, rounded up, as poll(2) takes it."""
        if self.deadline is None:
            return None
        left = self.deadline - monotonic()
        return min(max(0, -int(-left * 1000 // 1)), MAX_MILLISECONDS)


def wait(what: Wait) -> Verdict:
    """READY or HOPELESS; WAITING when the deadline passed or `wake_fd` became readable.

    Raises GateError.
    """
    try:
        return watch(what)
    except (OSError, NetlinkFailed, NetlinkDecodeError) as error:
        return look(what, error)


def watch(what: Wait) -> Verdict:
    """By netlink: subscribe, dump, follow. Raises OSError, NetlinkFailed, NetlinkDecodeError."""
    sock = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, uapi.NETLINK_ROUTE)
    try:
        sock.bind((0, GROUPS))
        return follow(what, sock, Monitor(sock.getsockname()[0]))
    finally:
        sock.close()


def follow(what: Wait, sock: socket, monitor: Monitor) -> Verdict:
    """Feed the monitor from the socket until its links are ready."""
    poller = poll()
    poller.register(sock.fileno(), POLLIN)
    poller.register(what.wake_fd, POLLIN)
    request: bytes | None = monitor.start()
    while True:
        if request is not None:
            sock.send(request)
        left = what.milliseconds_left()
        verdict = conditions.judge(monitor.links, what.interface, what.wanted)
        if monitor.state == WATCHING and (verdict.state != conditions.WAITING or left == 0):
            return verdict
        events = poller.poll(left)
        if not events or any(fd == what.wake_fd for fd, _ in events):
            return Verdict(conditions.WAITING, verdict.reason)
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


def look(what: Wait, why: Exception) -> Verdict:
    """Without netlink: look again and again. Raises GateError if that does not work either."""
    from waitforweave.gate import ioctls

    poller = poll()
    poller.register(what.wake_fd, POLLIN)
    while True:
        left = what.milliseconds_left()
        try:
            links = ioctls.snapshot(what.interface)
        except OSError as error:
            raise GateError(f"no netlink ({why}) and no ioctl ({error})") from error
        verdict = conditions.judge(links, what.interface, what.wanted)
        if verdict.state != conditions.WAITING or left == 0:
            return verdict
        if poller.poll(LOOK_MILLISECONDS if left is None else min(LOOK_MILLISECONDS, left)):
            return verdict
