"""What the facts say about this host's network, kernel and disk, and what to do. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from waitforweave.attach.droppers import FIREWALLD, cure
from waitforweave.attach.switch import BRIDGE
from waitforweave.doctor.check import Check, ok, problem, restarted, unseen
from waitforweave.doctor.facts import Facts, Firewall, Host, Unseen

DEFAULT_SUBNET = "10.32.0.0/12"
NEEDED = ("NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE")
# The books grow by some bytes a container; SQLite wants a journal beside them.
ENOUGH_BYTES, ENOUGH_INODES = 16 * 2**20, 100
RULE = f"FORWARD -i {BRIDGE} -o {BRIDGE} -j ACCEPT"
PROGRAMS = {"IPv4": "iptables", "IPv6": "ip6tables"}


def host_checks(facts: Facts) -> Iterator[Check]:
    host = facts.host
    if isinstance(host, Unseen):
        yield unseen("network", host)
    elif host is not None:
        if wants_bridge(facts):
            yield from bridge(facts, host)
            yield from firewall(facts, host)
        yield forwarding(host)
        yield kernel(host)
        yield subnet(facts, host)
    yield from backend(facts)
    yield from capabilities(facts)
    yield from disk(facts)


def wants_bridge(facts: Facts) -> bool:
    settings = facts.launch.settings
    return settings is not None and settings.backend == "bridge"


def bridge(facts: Facts, host: Host) -> Iterator[Check]:
    seen = host.bridge
    if seen.state == "foreign":
        said = f"an interface {BRIDGE} is there that is not ours (Weave Net's, perhaps)"
        yield problem("bridge", said, "stop, and launch with --backend weave; or remove it")
    elif seen.state == "absent":
        todo = f"{restarted(facts.launch, facts.engine.url)}; the next attach makes it again, too"
        said = f"the bridge {BRIDGE} is not there: attached containers reach nobody"
        yield problem("bridge", said, todo)
    elif not seen.up:
        yield problem("bridge", f"the bridge {BRIDGE} is down", f"ip link set {BRIDGE} up")
    else:
        yield ok("bridge", f"{BRIDGE} is up, with {seen.ports} port{'s' * (seen.ports != 1)}")


def firewall(facts: Facts, host: Host) -> Iterator[Check]:
    """What may stand between two ports of our bridge."""
    if isinstance(host.firewalls, Unseen):
        yield unseen("firewall", host.firewalls)
        return
    found = [problem_of(facts, seen) for seen in host.firewalls if seen.policy and not seen.rule]
    if not isinstance(host.drops, Unseen):
        found += [drop(*chain) for chain in host.drops]
    if not isinstance(host.legacy, Unseen):
        for program, rule in host.legacy:
            if rule is None:
                why = f"legacy iptables are in use, and {program} is not here to look into them"
                found.append(unseen("firewall", Unseen(why)))
            elif not rule:
                said = f"our rule is not in the legacy table ({program})"
                found.append(problem("firewall", said, f"{program} -I {RULE}"))
    yield from found or [ok("firewall", " and ".join(map(passed, host.firewalls)))]


def passed(seen: Firewall) -> str:
    """How one family's chain lets our bridge through."""
    if not seen.policy:
        return f"{seen.name}: no chain FORWARD"
    return f"{seen.name}: our rule is in FORWARD (policy {seen.policy})"


def problem_of(facts: Facts, seen: Firewall) -> Check:
    sees = "which sees what a bridge forwards" if seen.called else "which no bridge asks now"
    said = f"{seen.name}: our rule is not in FORWARD (policy {seen.policy}, {sees})"
    todo = f"{PROGRAMS[seen.name]} -I {RULE}; {restarted(facts.launch, facts.engine.url)} does it"
    return problem("firewall", said, todo)


def drop(family: str, table: str, chain: str) -> Check:
    said = f"the nftables chain {family} {table} {chain} drops what is forwarded"
    if table == FIREWALLD:  # That is its last rule, and those before it lead into many chains.
        ask = f"firewall-cmd --zone=trusted --query-interface={BRIDGE}"
        return unseen("firewall", Unseen(f"{said}, but for what firewalld trusts; type: {ask}"))
    return problem("firewall", said, cure(BRIDGE, family, table, chain))


def forwarding(host: Host) -> Check:
    if host.forward:
        return ok("forwarding", "net.ipv4.ip_forward is 1")
    said = "net.ipv4.ip_forward is 0: containers reach each other by ethwe, but nobody else"
    return problem("forwarding", said, "sysctl -w net.ipv4.ip_forward=1")


def kernel(host: Host) -> Check:
    if isinstance(host.lacking, Unseen):
        return unseen("kernel", host.lacking)
    if host.lacking:
        todo = "modprobe it, or take a kernel that has it"
        return problem("kernel", f"this kernel cannot make: {', '.join(host.lacking)}", todo)
    also = "IPv6" if host.ipv6 else "no IPv6 (WEAVE_CIDR can name IPv4 only)"
    return ok("kernel", f"netlink, network namespaces, veth, bridge, {also}")


def subnet(facts: Facts, host: Host) -> Check:
    """Where unnamed addresses come from, against where the host goes already."""
    settings = facts.launch.settings
    text = settings.subnet if settings is not None else DEFAULT_SUBNET
    ours = ipaddress.ip_network(text)
    met = [f"{to} of {out}" for to, out in host.routes if overlaps(ours, to)]
    if met:
        said = f"{text}, where addresses come from, overlaps the host's {', '.join(met)}"
        return problem("subnet", said, "stop, and launch with another --subnet")
    return ok("subnet", f"{text} overlaps no route of this host")


def overlaps(ours: ipaddress.IPv4Network | ipaddress.IPv6Network, route: str) -> bool:
    theirs = ipaddress.ip_network(route)
    return theirs.version == ours.version and theirs.overlaps(ours)


def backend(facts: Facts) -> Iterator[Check]:
    settings = facts.launch.settings
    if settings is None or settings.backend == "bridge":
        return
    if isinstance(facts.backend_fault, Unseen):
        yield unseen("backend", facts.backend_fault)
    elif facts.backend_fault:
        todo = "see docs/backends.md; it must be ready before anything is attached"
        yield problem("backend", facts.backend_fault, todo)
    else:
        yield ok("backend", f"{settings.backend} is ready")


def capabilities(facts: Facts) -> Iterator[Check]:
    have = facts.capabilities
    if isinstance(have, Unseen):
        yield unseen("rights", have)
    elif have is not None:
        missing = [name for name in NEEDED if name not in have]
        if missing:
            todo = "no userns-remap, no rootless engine; or stop, and launch with --host-process"
            yield problem("rights", f"the hook server lacks {', '.join(missing)}", todo)
        else:
            yield ok("rights", f"the hook server has {', '.join(NEEDED)}")


def disk(facts: Facts) -> Iterator[Check]:
    seen = facts.disk
    if isinstance(seen, Unseen):
        yield unseen("disk", seen)
    elif seen is not None:
        free = f"{seen.free / 2**20:.0f} MiB free"
        few = seen.inodes is not None and seen.inodes < ENOUGH_INODES
        if not seen.writable:
            said = f"{seen.path} is read-only: no address can be given"
            yield problem("disk", said, "mount it read-write")
        elif few or seen.free < ENOUGH_BYTES:
            free = f"{free}, {seen.inodes} inodes" if few else free
            said = f"{seen.path}: {free}: no address can be given when it is full"
            yield problem("disk", said, "make room there")
        else:
            yield ok("disk", f"{seen.path}: {free}")
