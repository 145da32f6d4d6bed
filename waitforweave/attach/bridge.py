"""The backend `bridge`: a Linux bridge of our own, and a veth pair for each container.

The order makes "ready" mean ready: addresses, link up and routes come first, and the carrier,
without which no gate opens, last.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from pyroute2 import IPRoute

from waitforweave.attach import netns
from waitforweave.attach.backend import HOST, AttachError, Container
from waitforweave.attach.check import addresses_of, require_ready
from waitforweave.attach.claims import Links, TakenError
from waitforweave.attach.droppers import tell_of_droppers
from waitforweave.attach.firewall import Opened, close_forwarding, open_forwarding
from waitforweave.attach.ipam import Claim, Ipam
from waitforweave.attach.legacy import close_legacy, open_legacy
from waitforweave.attach.links import (
    Interface,
    Mark,
    ensure_address,
    find_link,
    index_of,
    is_ours,
    kernel_errors,
    marked,
    remove_link,
)
from waitforweave.attach.lock import alone, bridge_unused, bridge_used, forget
from waitforweave.attach.names import free, linked, reserve, until_had
from waitforweave.attach.pair import (
    INTERFACE,
    Pair,
    add_addresses,
    bring_up,
    ensure_pair,
    host_end_name,
    leads_to,
    plug_in,
    remove_addresses,
)
from waitforweave.attach.switch import (
    BRIDGE,
    ensure_bridge,
    is_in_use,
    remove_bridge,
    take_ports,
)
from waitforweave.gate.weave_cidr import Wanted

log = logging.getLogger(__name__)


class BridgeBackend:
    """`ipam` knows which address is whose; `mtu` None leaves the kernel's own."""

    by_process = True

    def __init__(self, ipam: Ipam, *, mtu: int | None = None, multicast: bool = True) -> None:
        self.ipam = ipam
        self.mtu = mtu
        self.multicast = multicast
        # The ifindex of our bridge when it was last seen; the kernel does not use one again.
        self._bridge: int | None = None
        self._opened = Opened(BRIDGE)

    def prepare(self) -> None:
        """See Backend.prepare: the bridge, its way through the firewall, the host's addresses."""
        with kernel_errors(BRIDGE), bridge_used(), IPRoute() as host:
            bridge = self.bridge(host)
            if self.mtu is not None:
                host.link("set", index=bridge, mtu=self.mtu)
            open_forwarding(BRIDGE)
            open_legacy(BRIDGE)
            tell_of_droppers(BRIDGE)

    def restore(self, host: IPRoute, bridge: int) -> None:
        """What hung on a bridge that somebody removed, or that went with a reboot."""
        take_ports(host, bridge)
        for claim in self.ipam.held(HOST):
            try:
                reserve(bridge, [claim.cidr], ExitStack())
            except TakenError:  # By other books, while no bridge was there.
                log.warning("the host is without %s: a container has it", claim.cidr)
            else:
                add_addresses(host, bridge, BRIDGE, [claim.cidr], [])

    def attach(self, container: Container, wanted: Sequence[Wanted]) -> tuple[str, ...]:
        """See Backend.attach."""
        return until_had(partial(self.attach_once, container, wanted)) if wanted else ()

    def attach_once(self, container: Container, wanted: Sequence[Wanted]) -> tuple[str, ...]:
        """TakenError, after which nothing is left of it either."""
        with (
            kernel_errors(INTERFACE),
            alone(self.ipam.state, container.id),
            bridge_used(),
            netns.held(container) as namespace,
            netns.entered(namespace) as inside,
            IPRoute() as host,
            ExitStack() as undo,
        ):
            claims = self.claim(container.id, wanted, undo)
            pair = Pair(container.id, namespace, inside, self.bridge(host), self.mtu)
            cidrs = self.wire(host, pair, claims, undo)
            undo.pop_all()
        return cidrs

    def wire(
        self, host: IPRoute, pair: Pair, claims: Sequence[Claim], undo: ExitStack
    ) -> tuple[str, ...]:
        """All that an attach makes of its claims, each with its way back in `undo`."""
        cidrs = tuple(claim.cidr for claim in claims)
        self._opened.ensure(frozenset(family_of(cidr) for cidr in cidrs))
        host_end = ensure_pair(host, pair, cidrs, undo)
        # From here on we count as alive. Until here another container could take our address.
        self.ipam.confirm(pair.container, claims)
        reserve(host_end, cidrs, undo)
        mark = Mark(pair.container, self.ipam.owner())
        plug = partial(plug_in, host, host_end, pair.bridge, mark)
        bring_up(pair, cidrs, plug, multicast=self.multicast)
        return cidrs

    def claim(self, holder: str, wanted: Sequence[Wanted], undo: ExitStack) -> list[Claim]:
        claims = self.ipam.claim(holder, wanted, Links(is_alive, partial(linked, holder)))
        undo.callback(self.ipam.undo, holder, claims)
        return claims

    def bridge(self, host: IPRoute) -> int:
        if self._bridge is None or index_of(BRIDGE) != self._bridge:
            bridge = ensure_bridge(host)
            if self._bridge is not None:
                # Whoever took the bridge away took this too.
                open_legacy(BRIDGE)
            self.restore(host, bridge)
            self._bridge = bridge
        return self._bridge

    def check(self, container: Container, wanted: Sequence[Wanted]) -> None:
        """See Backend.check: also that `ethwe` leads to our bridge."""
        if not wanted:
            return
        with kernel_errors(INTERFACE), netns.held(container) as namespace:
            subnet = ipaddress.ip_network(self.ipam.subnet)
            netns.run_inside(namespace, partial(require_ready, wanted, subnet))
            host_end = index_of(host_end_name(container.id))
            if host_end is None or not netns.run_inside(namespace, partial(leads_to, host_end)):
                raise AttachError(f"{INTERFACE} does not lead to this host's bridge {BRIDGE}")
            with IPRoute() as host:
                master = host.link("get", index=host_end)[0].get_attr("IFLA_MASTER")
            if master is None or master != index_of(BRIDGE):
                raise AttachError(f"{INTERFACE} is not connected to the bridge {BRIDGE}")

    def detach(self, container_id: str) -> tuple[str, ...]:
        """See Backend.detach: one end of a pair takes the other with it."""
        with kernel_errors(INTERFACE), alone(self.ipam.state, container_id), IPRoute() as host:
            remove_link(host, host_end_name(container_id))
            return self.ipam.release(container_id)

    def expose(self, wanted: Sequence[Wanted]) -> tuple[str, ...]:
        """See Backend.expose: addresses of the bridge itself."""
        return until_had(partial(self.expose_once, wanted))

    def expose_once(self, wanted: Sequence[Wanted]) -> tuple[str, ...]:
        """TakenError, after which nothing is left of it."""
        added: list[Interface] = []
        with (
            kernel_errors(BRIDGE),
            alone(self.ipam.state, HOST),
            bridge_used(),
            IPRoute() as host,
            ExitStack() as undo,
        ):
            bridge = self.bridge(host)
            cidrs = [claim.cidr for claim in self.claim(HOST, wanted, undo)]
            reserve(bridge, cidrs, undo)
            undo.callback(lambda: remove_addresses(host, bridge, added))
            add_addresses(host, bridge, BRIDGE, cidrs, added)
            undo.pop_all()
        return tuple(cidrs)

    def hide(self, wanted: Sequence[Wanted] = ()) -> tuple[str, ...]:
        """See Backend.hide."""
        words = {word.text for word in wanted}
        with kernel_errors(BRIDGE), alone(self.ipam.state, HOST), IPRoute() as host:
            claims = [
                claim
                for claim in self.ipam.held(HOST)
                if not words or words & {claim.word, claim.cidr}
            ]
            bridge = find_link(host, BRIDGE)
            # Weave Net's own may be there since a reboot.
            if bridge is not None and is_ours(bridge):
                remove_from(host, bridge["index"], [claim.cidr for claim in claims])
            self.ipam.give_back(HOST, claims)
        return tuple(claim.cidr for claim in claims)

    def list(self) -> Mapping[str, tuple[str, ...]]:
        """See Backend.list: who is in the books, and whose links are there without them."""
        with kernel_errors(BRIDGE), IPRoute() as host:
            links = {container: () for _, container in self.links(host)}
        found = {**links, **self.ipam.holders()}
        found.pop(HOST, None)
        return found

    def remove_all(self) -> None:
        """See Backend.remove_all: what bears our mark or is in the books, and nothing else; what
        is everybody's, with the last one's."""
        self.hide()
        with kernel_errors(BRIDGE), IPRoute() as host, bridge_unused() as unused:
            # An attach that was killed may have left a pair that bears no mark yet.
            for container in self.ipam.holders():
                remove_link(host, host_end_name(container))
            for name, _ in self.links(host):
                remove_link(host, name)
            if unused and not is_in_use(host):
                close_forwarding(BRIDGE)
                close_legacy(BRIDGE)
                remove_bridge(host)
            self.ipam.clear()
            forget(self.ipam.state)

    def links(self, host: IPRoute) -> Sequence[tuple[str, str]]:
        """The containers' links that were made for these books: name and container."""
        owner = self.ipam.owner()
        if not owner:
            return []
        marks = [(link.get_attr("IFLA_IFNAME"), marked(link)) for link in host.get_links()]
        return [(name, mark.container) for name, mark in marks if mark and mark.owner == owner]


def remove_from(host: IPRoute, bridge: int, cidrs: Sequence[str]) -> None:
    """These addresses of the host, and no others: with one the kernel takes along those that it
    has of the same subnet since (promote_secondaries, ip-sysctl.rst)."""
    gone = [ipaddress.ip_interface(cidr) for cidr in cidrs]
    kept = [each for each in addresses_of(host, bridge) if each not in gone]
    remove_addresses(host, bridge, gone)
    for each in kept:
        ensure_address(host, bridge, each)
    for cidr in cidrs:
        free(bridge, cidr)


def family_of(cidr: str) -> int:
    return socket.AF_INET6 if ":" in cidr else socket.AF_INET


def is_alive(holder: str) -> bool:
    """Whether the container has its `ethwe`: a pair goes with the namespace of either end."""
    return holder == HOST or index_of(host_end_name(holder)) is not None
