"""Our bridge itself: made where it is missing, with what hung on it before."""

from __future__ import annotations

import errno
import secrets

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from waitforweave.attach.backend import AttachError
from waitforweave.attach.links import (
    OURS,
    find_link,
    index_of,
    is_ours,
    marked,
    remove_link,
)
from waitforweave.attach.names import has_any
from waitforweave.attach.pair import HOST_END

BRIDGE = "weave"


def ensure_bridge(host: IPRoute) -> int:
    """The ifindex of our bridge, made where it is missing. AttachError."""
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
    creation, and whoever looks for the bridge meanwhile must not take it for a foreign one.

    Another attach may be faster.
    """
    name = OURS + secrets.token_hex(3)
    host.link("add", ifname=name, kind="bridge", address=random_address())
    index = index_of(name)
    try:
        host.link("set", index=index, ifalias=OURS)
        host.link("set", index=index, ifname=BRIDGE)
        host.link("set", index=index, state="up")
    except NetlinkError as error:
        host.link("del", index=index)
        if error.code != errno.EEXIST:
            raise


def is_in_use(host: IPRoute) -> bool:
    """Whether the bridge has a container's end, or an address of the host's."""
    marks = [(link, marked(link)) for link in host.get_links()]
    return any(mark is not None and (mark.container or has_any(link)) for link, mark in marks)


def remove_bridge(host: IPRoute) -> None:
    """What is everybody's: also one that was not made to its end."""
    for link in host.get_links():
        if is_ours(link):
            remove_link(host, link.get_attr("IFLA_IFNAME"))


def random_address() -> str:
    """A MAC that is set stays: a bridge's own would be the lowest of its ports', and change with
    them under the neighbours of a host that is exposed."""
    return (b"\x0a" + secrets.token_bytes(5)).hex(":")


def take_ports(host: IPRoute, bridge: int) -> None:
    """The hosts' ends that lost their bridge are its ports again."""
    for link in host.get_links():
        if is_ours(link) and link.get_attr("IFLA_IFNAME").startswith(HOST_END):
            host.link("set", index=link["index"], master=bridge)
