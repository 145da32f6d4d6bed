"""Links, addresses and routes by pyroute2: what is there, and what is missing made."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from waitforweave.attach.backend import AttachError
from waitforweave.attach.question import ask
from waitforweave.gate import nlmsg, rtnl, uapi

Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface

# The ifalias of all that we make begins so: by this mark we know it again, and remove nothing else.
OURS = "weavewait"
IFA_F_NODAD = 0x02  # linux/if_addr.h
RT_SCOPE_LINK = 253  # linux/rtnetlink.h
MULTICAST = "224.0.0.0/4"


def find_link(ipr: IPRoute, name: str) -> Any | None:  # noqa: ANN401 - pyroute2 has no types
    """The link of this name, or None."""
    try:
        return ipr.link("get", ifname=name)[0]
    except NetlinkError as error:
        if error.code == errno.ENODEV:
            return None
        raise


def link_at(ipr: IPRoute, index: int) -> Any | None:  # noqa: ANN401
    """The link with this ifindex, or None for one that is gone."""
    with ignored(errno.ENODEV):
        return ipr.link("get", index=index)[0]
    return None


def index_of(name: str) -> int | None:
    """The ifindex of this name in the thread's namespace, or None.

    Not if_nametoindex(3): where there is no such name, its ioctl runs modprobe, once or twice, and
    waits for it (net/core/dev_ioctl.c, dev_load).
    """
    question = rtnl.IFINFOMSG.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
    question += nlmsg.encode_attribute(uapi.IFLA_IFNAME, name.encode() + b"\0")
    without_statistics = rtnl.U32.pack(uapi.RTEXT_FILTER_SKIP_STATS)
    question += nlmsg.encode_attribute(uapi.IFLA_EXT_MASK, without_statistics)
    try:
        answer = ask(uapi.RTM_GETLINK, question)
    except OSError as error:
        if error.errno == errno.ENODEV:
            return None
        raise
    index: int = rtnl.IFINFOMSG.unpack_from(answer.payload)[2]
    return index


def is_ours(link: Any) -> bool:  # noqa: ANN401
    return marked(link) is not None


@dataclass(frozen=True)
class Mark:
    """Whose link it is: a container's, by its id, and whose books (Ipam.owner) it stands in.

    What is everybody's, the bridge, has neither; an older version did not say the second.
    """

    container: str = ""
    owner: str = ""

    def __str__(self) -> str:
        """As the link's ifalias has it."""
        return " ".join(filter(None, (OURS, self.container, self.owner)))


def marked(link: Any) -> Mark | None:  # noqa: ANN401
    """The link's mark; None if it is not ours."""
    ours, *words = (link.get_attr("IFLA_IFALIAS") or "").split(" ", 2)
    return Mark(*words) if ours == OURS else None


def is_up(ipr: IPRoute, index: int) -> bool:
    return bool(ipr.link("get", index=index)[0].get_attr("IFLA_OPERSTATE") == "UP")


def remove_link(ipr: IPRoute, name: str) -> None:
    """Remove a link; one that is gone is no error: its pair's other end went first."""
    index = index_of(name)
    if index is not None:
        with ignored(errno.ENODEV):
            ipr.link("del", index=index)


def ensure_address(ipr: IPRoute, index: int, interface: Interface) -> bool:
    """Add the address; False if it was there. IPv6's is usable at once: nobody else can have it,
    since we keep the books (IFA_F_NODAD)."""
    options: dict[str, Any] = {}
    if interface.version == 6:
        options["flags"] = IFA_F_NODAD
    elif interface.network.prefixlen < 31:
        options["broadcast"] = str(interface.network.broadcast_address)
    try:
        ipr.addr("add", **address_words(index, interface), **options)
    except NetlinkError as error:
        if error.code == errno.EEXIST:
            return False
        raise
    return True


def remove_address(ipr: IPRoute, index: int, interface: Interface) -> None:
    """Remove the address; one that is gone, or whose link is, is no error."""
    with ignored(errno.EADDRNOTAVAIL, errno.ENODEV):
        ipr.addr("del", **address_words(index, interface))


def address_words(index: int, interface: Interface) -> dict[str, Any]:
    return {
        "index": index,
        "address": str(interface.ip),
        "prefixlen": interface.network.prefixlen,
        "family": socket.AF_INET if interface.version == 4 else socket.AF_INET6,
    }


def ensure_multicast_route(ipr: IPRoute, index: int) -> None:
    """224.0.0.0/4 through this link, as Weave has it."""
    with ignored(errno.EEXIST):
        ipr.route("add", dst=MULTICAST, oif=index, scope=RT_SCOPE_LINK)


@contextmanager
def ignored(*codes: int) -> Iterator[None]:
    """The kernel's answers that say: it is so already."""
    try:
        yield
    except NetlinkError as error:
        if error.code not in codes:
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
