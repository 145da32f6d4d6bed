"""The backend `bridge`: a Linux bridge of our own, and a veth pair for each container.

The order makes "ready" mean ready: addresses, link up and routes come first, and the carrier,
without which no gate opens, last.
"""

from __future__ import annotations

import errno
import hashlib
import ipaddress
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from waitforweave.attach import netns
from waitforweave.attach.backend import AttachError, Container
from waitforweave.attach.firewall import close_forwarding, open_forwarding
from waitforweave.attach.ipam import Claim, Ipam
from waitforweave.attach.links import (
    OURS,
    ensure_address,
    ensure_multicast_route,
    find_link,
    is_ours,
    remove_link,
)
from waitforweave.gate.weave_cidr import Wanted

BRIDGE = "weave"
INTERFACE = "ethwe"


@dataclass(frozen=True)
class BridgeBackend:
    """`ipam` knows which address is whose."""

    ipam: Ipam

    def prepare(self) -> None:
        """See Backend.prepare: the bridge, and its way through the firewall."""
        try:
            with IPRoute() as host:
                ensure_bridge(host)
            open_forwarding(BRIDGE)
        except (NetlinkError, OSError) as error:
            raise AttachError(f"{BRIDGE}: {reason(error)}") from error

    def attach(self, container: Container, wanted: Sequence[Wanted]) -> tuple[str, ...]:
        """See Backend.attach."""
        try:
            with netns.held(container) as namespace, IPRoute() as host, ExitStack() as undo:
                claims = self.claim(host, container.id, wanted, undo)
                cidrs = tuple(claim.cidr for claim in claims)
                bridge = ensure_bridge(host)
                host_end = ensure_pair(host, (container.id, cidrs), (namespace, bridge), undo)
                netns.run_inside(namespace, lambda: configure(cidrs))
                host.link("set", index=host_end, state="up")
                undo.pop_all()
                return cidrs
        except (NetlinkError, OSError) as error:
            raise AttachError(f"{INTERFACE}: {reason(error)}") from error

    def claim(
        self, host: IPRoute, container: str, wanted: Sequence[Wanted], undo: ExitStack
    ) -> list[Claim]:
        def alive(holder: str) -> bool:
            return find_link(host, host_end_name(holder)) is not None

        claims = self.ipam.claim(container, wanted, alive)
        undo.callback(self.ipam.undo, container, claims)
        return claims

    def detach(self, container_id: str) -> tuple[str, ...]:
        """See Backend.detach: one end of a pair takes the other with it."""
        with IPRoute() as host:
            remove_link(host, host_end_name(container_id))
        return self.ipam.release(container_id)

    def remove_all(self) -> None:
        """See Backend.remove_all: what bears our mark, and nothing else."""
        close_forwarding(BRIDGE)
        with IPRoute() as host:
            for link in host.get_links():
                if is_ours(link):
                    remove_link(host, link.get_attr("IFLA_IFNAME"))
        self.ipam.clear()


def host_end_name(container: str) -> str:
    """The host's end of a container's pair: "vethwl" and 9 hex digits, 15 characters in all."""
    return "vethwl" + hashlib.sha256(container.encode()).hexdigest()[:9]


def ensure_bridge(host: IPRoute) -> int:
    """The ifindex of our bridge, which is made where it is missing. AttachError."""
    found = find_link(host, BRIDGE)
    if found is None:
        try:
            host.link("add", ifname=BRIDGE, kind="bridge")
        except NetlinkError as error:
            if error.code != errno.EEXIST:  # Another attach was faster.
                raise
        found = find_link(host, BRIDGE)
        assert found is not None
        host.link("set", index=found["index"], ifalias=OURS, state="up")
        open_forwarding(BRIDGE)
    elif not is_ours(found):
        raise AttachError(
            f"an interface {BRIDGE} is there that is not ours (Weave Net's, perhaps); "
            "the backend bridge needs that name"
        )
    index: int = found["index"]
    return index


def ensure_pair(
    host: IPRoute, container: tuple[str, Sequence[str]], ends: tuple[int, int], undo: ExitStack
) -> int:
    """The ifindex of the host's end of the container's pair; its other end is `ethwe` in the
    container's namespace from the first moment. `ends` are that namespace and our bridge."""
    identity, cidrs = container
    namespace, bridge = ends
    name = host_end_name(identity)
    found = find_link(host, name)
    if found is None:
        peer: dict[str, Any] = {"ifname": INTERFACE, "net_ns_fd": namespace}
        hardware = hardware_address(cidrs)
        if hardware is not None:
            peer["address"] = hardware
        host.link("add", ifname=name, kind="veth", peer=peer)
        undo.callback(remove_link, host, name)
        found = find_link(host, name)
        assert found is not None
        host.link("set", index=found["index"], ifalias=OURS, master=bridge)
    index: int = found["index"]
    return index


def hardware_address(cidrs: Sequence[str]) -> str | None:
    """A MAC that follows from the first IPv4 address, as Docker's does on its own bridge: who
    has an old neighbour entry for a re-used address reaches its new owner at once (weave#441)."""
    for cidr in cidrs:
        address = ipaddress.ip_interface(cidr).ip
        if address.version == 4:
            # 0x02: locally administered.
            return ":".join(f"{byte:02x}" for byte in b"\x02\x77" + address.packed)
    return None


def configure(cidrs: Sequence[str]) -> None:
    """Inside the container: addresses, link up, multicast route. The default route is its own."""
    with IPRoute() as inside:
        link = find_link(inside, INTERFACE)
        if link is None:
            raise AttachError(f"{INTERFACE} is not there any more")
        for cidr in cidrs:
            ensure_address(inside, link["index"], ipaddress.ip_interface(cidr))
        inside.link("set", index=link["index"], state="up")
        ensure_multicast_route(inside, link["index"])


def reason(error: NetlinkError | OSError) -> str:
    """What the kernel said, for a person."""
    if isinstance(error, NetlinkError):
        if error.code == errno.EEXIST:
            return "an interface of that name is in the container already, and is not ours"
        return str(error.args[1] if len(error.args) > 1 else error)
    return error.strerror or str(error)
