"""The backend `bridge`: a Linux bridge of our own, and a veth pair for each container.

The order makes "ready" mean ready: addresses, link up and routes come first, and the carrier,
without which no gate opens, last.
"""

from __future__ import annotations

import errno
import os
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from waitforweave.attach import netns
from waitforweave.attach.backend import AttachError, Container
from waitforweave.attach.firewall import close_forwarding, open_forwarding, warn_of_legacy
from waitforweave.attach.ipam import Claim, Ipam
from waitforweave.attach.links import OURS, find_link, index_of, is_ours, remove_link
from waitforweave.attach.lock import alone, forget
from waitforweave.attach.pair import (
    INTERFACE,
    Pair,
    configure,
    ensure_pair,
    host_end_name,
    unconfigure,
)
from waitforweave.gate.weave_cidr import Wanted

BRIDGE = "weave"


class BridgeBackend:
    """`ipam` knows which address is whose."""

    def __init__(self, ipam: Ipam) -> None:
        self.ipam = ipam
        # The ifindex of our bridge when it was last seen; the kernel does not use one again.
        self._bridge: int | None = None

    def prepare(self) -> None:
        """See Backend.prepare: the bridge, and its way through the firewall."""
        with kernel_errors(BRIDGE), IPRoute() as host:
            ensure_bridge(host)
            open_forwarding(BRIDGE)
            warn_of_legacy(BRIDGE)

    def attach(self, container: Container, wanted: Sequence[Wanted]) -> tuple[str, ...]:
        """See Backend.attach."""
        if not wanted:
            return ()
        with (
            kernel_errors(INTERFACE),
            alone(self.ipam.state, container.id),
            netns.held(container) as namespace,
            IPRoute() as host,
            ExitStack() as undo,
        ):
            cidrs = self.wire(host, container.id, namespace, wanted, undo)
            undo.pop_all()
        return cidrs

    def wire(
        self,
        host: IPRoute,
        container: str,
        namespace: int,
        wanted: Sequence[Wanted],
        undo: ExitStack,
    ) -> tuple[str, ...]:
        """All steps of an attach, each with its way back in `undo`."""
        claims = self.claim(container, wanted, undo)
        cidrs = tuple(claim.cidr for claim in claims)
        pair = Pair(container, namespace, self.bridge(host))
        open_forwarding(BRIDGE, {family_of(cidr) for cidr in cidrs})
        host_end = ensure_pair(host, pair, cidrs, undo)
        # From here on we count as alive. Until here another container could take our address.
        self.ipam.confirm(container, claims)
        added = netns.run_inside(namespace, partial(configure, cidrs))
        undo.callback(netns.run_inside, namespace, partial(unconfigure, added))
        host.link("set", index=host_end, master=pair.bridge, ifalias=OURS, state="up")
        return cidrs

    def claim(self, container: str, wanted: Sequence[Wanted], undo: ExitStack) -> list[Claim]:
        claims = self.ipam.claim(container, wanted, is_alive)
        undo.callback(self.ipam.undo, container, claims)
        return claims

    def bridge(self, host: IPRoute) -> int:
        if self._bridge is None or index_of(BRIDGE) != self._bridge:
            self._bridge = ensure_bridge(host)
        return self._bridge

    def detach(self, container_id: str) -> tuple[str, ...]:
        """See Backend.detach: one end of a pair takes the other with it."""
        with kernel_errors(INTERFACE), alone(self.ipam.state, container_id), IPRoute() as host:
            remove_link(host, host_end_name(container_id))
            return self.ipam.release(container_id)

    def remove_all(self) -> None:
        """See Backend.remove_all: what bears our mark, and nothing else."""
        with kernel_errors(BRIDGE), IPRoute() as host:
            close_forwarding(BRIDGE)
            for link in host.get_links():
                if is_ours(link):
                    remove_link(host, link.get_attr("IFLA_IFNAME"))
            self.ipam.clear()
            forget(self.ipam.state)


def family_of(cidr: str) -> int:
    return socket.AF_INET6 if ":" in cidr else socket.AF_INET


def is_alive(container: str) -> bool:
    """Whether the container has its `ethwe`: a pair goes with the namespace of either end."""
    return index_of(host_end_name(container)) is not None


def ensure_bridge(host: IPRoute) -> int:
    """The ifindex of our bridge, which is made where it is missing. AttachError."""
    found = find_link(host, BRIDGE)
    if found is None:
        make_bridge(host)
        found = find_link(host, BRIDGE)
    if found is None or not is_ours(found):
        raise AttachError(
            f"an interface {BRIDGE} is there that is not ours (Weave Net's, perhaps); "
            "the backend bridge needs that name"
        )
    index: int = found["index"]
    return index


def make_bridge(host: IPRoute) -> None:
    """Marked under a name that nobody knows, and renamed then: the kernel takes no mark at
    creation, and whoever looks for the bridge meanwhile must not take it for a foreign one."""
    name = OURS + secrets.token_hex(3)
    host.link("add", ifname=name, kind="bridge")
    index = index_of(name)
    try:
        host.link("set", index=index, ifalias=OURS)
        host.link("set", index=index, ifname=BRIDGE)
        host.link("set", index=index, state="up")
    except NetlinkError as error:
        host.link("del", index=index)
        if error.code != errno.EEXIST:  # Another attach was faster.
            raise


@contextmanager
def kernel_errors(what: str) -> Iterator[None]:
    """What the kernel refused, as an AttachError that names `what` it was about."""
    try:
        yield
    except NetlinkError as error:
        needed = "; root is needed, or NET_ADMIN" if error.code == errno.EPERM else ""
        raise AttachError(f"{what}: {os.strerror(error.code)}{needed}") from error
    except OSError as error:
        raise AttachError(f"{what}: {error}") from error
