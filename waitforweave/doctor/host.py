"""Facts about this host: links, routes, switches, what the kernel can make, rights, disk."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from waitforweave.attach.backend import AttachError
from waitforweave.attach.links import index_of, marked
from waitforweave.attach.netns import CLONE_NEWNET
from waitforweave.attach.switch import BRIDGE
from waitforweave.doctor import firewall
from waitforweave.doctor.facts import NEEDS_ROOT, Bridge, Disk, Host, Unseen

IFF_UP = 0x1  # linux/if.h
RT_TABLE_MAIN = 254  # linux/rtnetlink.h
FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
IPV6 = Path("/proc/sys/net/ipv6")
# linux/capability.h
CAPABILITIES = {12: "NET_ADMIN", 19: "SYS_PTRACE", 21: "SYS_ADMIN"}
KINDS = ("veth", "bridge")


def look() -> Host | Unseen:
    """The network that this thread is in, or why it cannot be seen. (pyroute2 has an event loop
    of its own: not to be called in another's thread.)"""
    try:
        return seen()
    except NetlinkError as error:
        return Unseen(f"netlink: {os.strerror(error.code)}")
    except (AttachError, OSError) as error:
        return Unseen(str(error))


def seen() -> Host:
    """NetlinkError, AttachError, OSError."""
    with IPRoute() as ipr:
        links = list(ipr.get_links())
        routes = networks(ipr, links)
    policies = firewall.policies()
    root = not isinstance(policies, Unseen)
    return Host(
        bridge=bridge_of(links),
        forward=FORWARD.read_text().strip() == "1",
        firewalls=policies
        if isinstance(policies, Unseen)
        else firewall.firewalls(policies, BRIDGE),
        drops=firewall.drops(BRIDGE) if root else NEEDS_ROOT,
        legacy=firewall.legacy_rules(BRIDGE) if root else NEEDS_ROOT,
        lacking=lacking(),
        ipv6=IPV6.is_dir(),
        routes=routes,
        marked=tuple(
            (link.get_attr("IFLA_IFNAME"), mark)
            for link in links
            if (mark := marked(link)) is not None
        ),
    )


def bridge_of(links: list[Any]) -> Bridge:
    """Our bridge among these links. Pure."""
    for link in links:
        if link.get_attr("IFLA_IFNAME") == BRIDGE:
            if marked(link) is None:
                return Bridge("foreign")
            ports = sum(each.get_attr("IFLA_MASTER") == link["index"] for each in links)
            return Bridge("ours", bool(link["flags"] & IFF_UP), ports)
    return Bridge("absent")


def networks(ipr: IPRoute, links: list[Any]) -> tuple[tuple[str, str], ...]:
    """Where the main table leads, but for default routes and our own bridge."""
    names = {link["index"]: link.get_attr("IFLA_IFNAME") for link in links}
    found = []
    for family in (socket.AF_INET, socket.AF_INET6):
        for route in ipr.get_routes(family=family, table=RT_TABLE_MAIN):
            to, out = route.get_attr("RTA_DST"), names.get(route.get_attr("RTA_OIF"), "")
            if to is not None and out != BRIDGE:
                found.append((f"{to}/{route['dst_len']}", out))
    return tuple(found)


def lacking() -> tuple[str, ...] | Unseen:
    """What this kernel cannot make, by making it: in a namespace that ends with its thread."""
    with ThreadPoolExecutor(1, "doctor") as thread:
        number = thread.submit(unshare).result()
        if number == errno.EPERM:
            return NEEDS_ROOT
        if number:
            return (f"network namespaces ({os.strerror(number)})",)
        return thread.submit(kinds_lacking).result()


def unshare() -> int:
    """This thread's own network namespace; the errno. Python has unshare(2) from 3.12 on."""
    libc = ctypes.CDLL(None, use_errno=True)
    return 0 if libc.unshare(CLONE_NEWNET) == 0 else ctypes.get_errno()


def kinds_lacking() -> tuple[str, ...]:
    found = []
    with IPRoute() as ipr:
        for kind in KINDS:
            try:
                ipr.link("add", ifname=f"try{kind}", kind=kind)
            except NetlinkError as error:
                found.append(f"{kind} ({os.strerror(error.code)})")
    return tuple(found)


def has_link(name: str) -> bool:
    try:
        return index_of(name) is not None
    except OSError:
        return False


def capabilities(pid: int, proc: Path = Path("/proc")) -> frozenset[str] | Unseen:
    """Which of those that an attach needs this process has."""
    try:
        status = (proc / str(pid) / "status").read_text()
    except OSError as error:
        return Unseen(f"/proc/{pid}/status: {error.strerror}")
    effective = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    bits = int(effective[1], 16) if effective else 0
    return frozenset(name for bit, name in CAPABILITIES.items() if bits >> bit & 1)


def disk(folder: Path) -> Disk | Unseen:
    """Of the folder, or of what is above it where it is not there yet."""
    place = folder
    try:
        while not place.exists():
            place = place.parent
        found = os.statvfs(place)
    except PermissionError:
        return NEEDS_ROOT
    except OSError as error:
        return Unseen(f"{place}: {error.strerror}")
    # A file system without a bound on inodes says 0 of 0.
    inodes = found.f_favail if found.f_files else None
    writable = not found.f_flag & os.ST_RDONLY
    return Disk(str(folder), found.f_bavail * found.f_frsize, inodes, writable)
