"""A kernel for the monitor: it answers requests and notifies, in datagrams and without a socket."""

from __future__ import annotations

from struct import pack, unpack_from

from tests.unit.gate.facts import (
    address,
    address_message,
    link,
    link_message,
    message,
    route,
    route_message,
)
from waitforweave.gate import uapi
from waitforweave.gate.monitor import ROUTES, WATCHING, Monitor

PORT = 4711
TORN = uapi.NLM_F_DUMP_INTR
DONE, ERROR, OVERRUN = 3, 2, 4


def asked(request: bytes | None) -> tuple[int, int] | None:
    """Kind and sequence of a request."""
    return unpack_from("=H2xI", request, 4) if request is not None else None


def done(sequence: int, flags: int = 0) -> bytes:
    return message(DONE, pack("=i", 0), sequence, PORT, flags)


class Kernel:
    """Feeds a monitor; `request` is what it asked for last."""

    def __init__(self, *, with_routes: bool = False) -> None:
        self.monitor = Monitor(PORT, with_routes=with_routes)
        self.request = asked(self.monitor.start())

    def send(self, *messages: bytes, sender: int = 0) -> tuple[int, int] | None:
        answer = asked(self.monitor.receive(b"".join(messages), sender))
        if answer is not None:
            self.request = answer
        return answer

    @property
    def sequence(self) -> int:
        assert self.request is not None
        return self.request[1]

    def dump_links(self, *names: str, flags: int = 0) -> None:
        for index, name in enumerate(names, 1):
            self.send(link_message(link(index, name), 16, self.sequence, PORT, flags))
        self.send(done(self.sequence))

    def dump_addresses(self, *cidrs: str) -> None:
        for cidr in cidrs:
            self.send(address_message(address(cidr, 2), 20, self.sequence, PORT))
        self.send(done(self.sequence))

    def dump_routes(self, *destinations: str) -> None:
        for to in destinations:
            self.send(route_message(route(to, 2), 24, self.sequence, PORT))
        self.send(done(self.sequence))

    def lose(self) -> None:
        """Events are lost, and the dump that finds the end of the queue is over."""
        self.request = asked(self.monitor.lost())
        self.send(done(self.sequence))

    def routes(self) -> list[int]:
        return [one.prefixlen for one in self.monitor.links.routes_by_key.values()]

    def told(self) -> tuple[list[str], list[str]]:
        links = self.monitor.links
        return [one.name for one in links.all()], [a.text for a in links.addresses(2)]


def watching() -> Kernel:
    kernel = Kernel()
    kernel.dump_links("lo", "ethwe")
    kernel.dump_addresses("10.2.1.5/24")
    assert kernel.monitor.state == WATCHING
    return kernel


def watching_routes() -> Kernel:
    kernel = Kernel(with_routes=True)
    kernel.dump_links("lo", "ethwe")
    kernel.dump_addresses("10.2.1.5/24")
    assert kernel.monitor.state == ROUTES
    assert kernel.request is not None
    assert kernel.request[0] == uapi.RTM_GETROUTE
    kernel.dump_routes("224.0.0.0/4")
    return kernel
