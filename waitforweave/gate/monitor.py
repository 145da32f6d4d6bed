"""Following rtnetlink without a socket: datagrams in, requests out, and the model they make. Pure.

The rules. Whoever owns the socket has subscribed before start(): the other order loses what
happens in between. Dumps go one at a time, since the kernel refuses a second one (EBUSY).

    state      on DONE            on DONE of a torn dump   on lost events (ENOBUFS)
    LINKS      ask for addresses  ask for links again      the dump is torn
    ADDRESSES  ask for routes *   ask for links again      the dump is torn
    ROUTES     WATCHING           ask for links again      the dump is torn
    WATCHING   -                  -                        ask for links, already torn

    * where they are wanted at all; else WATCHING

After lost events the first dump only finds the end of the queue: until that has been read empty the
kernel goes on dropping events, and does not say so again (net/netlink/af_netlink.c,
NETLINK_S_CONGESTED).

In every state notifications are taken in. A dump builds a fresh model beside the old one, which
goes only when the new one is whole (as CNI's netlinksafe does). What was told during the dump comes
after it: since 6.9 the kernel dumps addresses and routes without the lock of those that change
them, so a part of the dump may be older than an event that stands before it in the queue.

The kernel tells nobody of the IPv4 routes that it takes away with a link that goes down, or with an
address (net/ipv4/fib_trie.c, fib_table_flush), and of a route that is replaced only the new one
(fib_table_insert). So what the model says of routes is in doubt from such an event on, until a dump
that began after it has ended.
"""

from __future__ import annotations

from waitforweave.gate import nlmsg, rtnl, uapi
from waitforweave.gate.links import Links
from waitforweave.gate.rtnl import Gone, Link
from waitforweave.gate.uapi import IFF_UP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Literal

    from waitforweave.gate.nlmsg import Message
    from waitforweave.gate.rtnl import Event

    State = Literal["links", "addresses", "routes", "watching"]

LINKS: Final = "links"
ADDRESSES: Final = "addresses"
ROUTES: Final = "routes"
WATCHING: Final = "watching"

# Torn dumps in a row before we say that netlink does not work here. A container's namespace sees
# a handful of changes at its start; each of them can tear a dump at most once.
MAX_DUMPS = 64


class NetlinkFailed(Exception):  # noqa: N818 - a fact about the kernel, not a bug of ours
    """The kernel refuses what we ask for, or does not come to a whole answer; says which."""


class Monitor:
    """`links` is what is known; believe it when `state` is WATCHING, and its routes only when
    they are not `in_doubt`."""

    def __init__(self, port_id: int, *, with_routes: bool = False) -> None:
        self.state: State = WATCHING
        self.links = Links()
        self.in_doubt = False
        self._with_routes = with_routes
        self._fresh = Links()
        self._told: list[Event] = []
        self._port_id = port_id
        self._sequence = 0
        self._torn = False
        self._dumps = 0

    def start(self) -> bytes:
        """The request that begins a fresh model. Raises NetlinkFailed."""
        if self._dumps == MAX_DUMPS:
            raise NetlinkFailed(f"{MAX_DUMPS} answers in a row were torn by changes")
        self._dumps += 1
        self.state = LINKS
        self._torn = False
        self.in_doubt = False
        self._fresh = Links()
        self._told = []
        self._sequence += 1
        return rtnl.dump_links(self._sequence)

    def receive(self, datagram: bytes, sender: int) -> bytes | None:
        """Take in a datagram from port id `sender`; the next request to send, if there is one.

        Raises NetlinkDecodeError, and NetlinkFailed when the kernel refuses to go on.
        """
        # Any process of this namespace may write to our port; only the kernel's is 0.
        if sender != 0:
            return None
        request = None
        for message in nlmsg.decode(datagram):
            request = self._take(message) or request
        return request

    def lost(self) -> bytes | None:
        """Events were lost (ENOBUFS); the next request to send, if it can be sent now.

        Raises NetlinkFailed.
        """
        request = self.start() if self.state == WATCHING else None
        self._torn = True
        return request

    def _take(self, message: Message) -> bytes | None:
        # A notification carries port id and sequence of whoever caused it: both must match. Ours
        # may also be the port id of somebody in another namespace who puts an interface here.
        if message.port_id != self._port_id or self.state == WATCHING:
            return self._take_notification(message)
        if message.sequence != self._sequence:
            return None
        if message.flags & uapi.NLM_F_DUMP_INTR:
            self._torn = True
        if message.kind in (uapi.NLMSG_DONE, uapi.NLMSG_ERROR):
            return self._end_of_dump(message)
        event = rtnl.decode(message.kind, message.payload)
        if event is not None:
            self._fresh.update(event)
        return None

    def _take_notification(self, message: Message) -> bytes | None:
        if message.kind == uapi.NLMSG_OVERRUN:
            return self.lost()
        event = rtnl.decode(message.kind, message.payload)
        if event is not None:
            self.links.update(event)
            if self.state != WATCHING:
                self._told.append(event)
            if self._with_routes and may_take_routes(event, message.flags):
                self.in_doubt = True
        return None

    def _end_of_dump(self, message: Message) -> bytes | None:
        errno = rtnl.decode_error(message.payload)
        if errno:
            raise NetlinkFailed(f"the kernel answers the request for {self.state} with {errno}")
        if self._torn:
            return self.start()
        if self.state == LINKS:
            self.state = ADDRESSES
            self._sequence += 1
            return rtnl.dump_addresses(self._sequence)
        if self.state == ADDRESSES and self._with_routes:
            from waitforweave.gate import routes

            self.state = ROUTES
            self._sequence += 1
            return routes.dump_routes(self._sequence)
        for event in self._told:
            self._fresh.update(event)
        self.state = WATCHING
        self.links, self._told = self._fresh, []
        self._dumps = 0
        return None


def may_take_routes(event: Event, flags: int) -> bool:
    """May a route have gone with this, of which nobody is told?"""
    if isinstance(event, Link):
        return not event.flags & IFF_UP
    return isinstance(event, Gone) or bool(flags & uapi.NLM_F_REPLACE)
