"""Which link has an address, by the kernel's word: as an alternative name of that link.

A name is there once in a network namespace, and goes with its link. So this is the one book that
all hook servers on a bridge share, whatever folder each keeps its own in: an engine within
another's container may have nothing in common with it but the network. Linux has such names from
5.5 on; before that there is no such book.
"""

from __future__ import annotations

import errno
import hashlib
import ipaddress
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any, TypeVar

from pyroute2 import IPRoute

from waitforweave.attach import altname
from waitforweave.attach.backend import HOST
from waitforweave.attach.claims import Address, TakenError
from waitforweave.attach.links import index_of, link_at, marked
from waitforweave.attach.pair import host_end_name

PREFIX = "weave-"
NO_SUCH_NAMES = (errno.EOPNOTSUPP, errno.EPROTONOSUPPORT)
# How often an address that nobody named may be another's before we have it.
TRIES = 8

Result = TypeVar("Result")


def name_of(address: Address) -> str:
    """Such as "weave-0a020105": short enough for SIOCGIFINDEX, which knows 15 characters."""
    octets = address.packed
    return PREFIX + (
        octets.hex() if address.version == 4 else hashlib.sha256(octets).hexdigest()[:9]
    )


def reserve(link: int, cidrs: Sequence[str], undo: ExitStack) -> None:
    """These addresses are this link's, and no other's. TakenError, OSError."""
    for cidr in cidrs:
        name = name_of(ipaddress.ip_interface(cidr).ip)
        try:
            altname.add(link, name)
        except OSError as error:
            if error.errno in NO_SUCH_NAMES:
                return
            if error.errno == errno.EEXIST:
                if index_of(name) == link:
                    continue
                raise TakenError(f"address {cidr} was taken meanwhile") from error
            raise
        undo.callback(partial(free, link, cidr))


def free(link: int, cidr: str) -> None:
    """Anybody's again; one that was, or whose link is gone, is no error."""
    name = name_of(ipaddress.ip_interface(cidr).ip)
    if index_of(name) == link:
        try:
            altname.remove(link, name)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENODEV):
                raise


def until_had(work: Callable[[], Result]) -> Result:
    """Again where somebody else was faster: of what he has we know the next time."""
    for _ in range(TRIES - 1):
        with suppress(TakenError):
            return work()
    return work()


def linked(asking: str, address: Address) -> str | None:
    """Who has this address by the kernel's word, whosever books that is in: a container, HOST or,
    for a link that bears no mark yet, its name."""
    index = index_of(name_of(address))
    if index is None:
        return None
    if index == index_of(host_end_name(asking)):
        return asking
    with IPRoute() as host:
        link = link_at(host, index)
    if link is None:
        return None
    mark = marked(link)
    if mark is None:
        return str(link.get_attr("IFLA_IFNAME"))
    return mark.container or HOST


def has_any(link: Any) -> bool:  # noqa: ANN401 - pyroute2 has no types
    """Whether this link, as the kernel tells of it, has an address by its names."""
    names = link.get_attr("IFLA_PROP_LIST")
    known = names.get_attrs("IFLA_ALT_IFNAME") if names else ()
    return any(name.startswith(PREFIX) for name in known)
