"""Facts about the host's packet filter: what stands between two ports of our bridge."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.nftables.main import NFTables

from waitforweave.attach import legacy
from waitforweave.attach.firewall import CHAIN, NO_NFTABLES, TABLE, handles, nftables
from waitforweave.doctor.facts import NEEDS_ROOT, Firewall, Unseen

# linux/netfilter.h: verdicts are policies too; NF_INET_FORWARD and NF_BR_FORWARD are both 2.
POLICIES = {0: "DROP", 1: "ACCEPT"}
HOOK_FORWARD = 2
# linux/netfilter.h, NFPROTO_*: as nft(8) calls them. Not arp, whose hooks are others.
FAMILIES = {1: "inet", 2: "ip", 7: "bridge", 10: "ip6"}
NAMES = {socket.AF_INET: "IPv4", socket.AF_INET6: "IPv6"}
SWITCHES = {socket.AF_INET: "bridge-nf-call-iptables", socket.AF_INET6: "bridge-nf-call-ip6tables"}
BRIDGE_SWITCHES = Path("/proc/sys/net/bridge")

Chain = tuple[int, str, str, str]  # family, table, name, policy


def firewalls(chains: Iterable[Chain], bridge: str) -> tuple[Firewall, ...]:
    """Each family's filter/FORWARD, with our rule in it or not. NetlinkError."""
    policies = {(family, table, name): policy for family, table, name, policy in chains}
    found = []
    for family, name in NAMES.items():
        policy = policies.get((int(family), TABLE, CHAIN), "")
        rule = False
        if policy:
            with nftables(family) as nft:
                rule = bool(handles(nft, bridge))
        found.append(Firewall(name, policy, rule, is_called(SWITCHES[family])))
    return tuple(found)


def drops(chains: Iterable[Chain]) -> tuple[str, ...]:
    """Other base chains that drop what is forwarded: a drop in any of them is final (nft(8))."""
    return tuple(
        f"table {FAMILIES[family]} {table}, chain {name}"
        for family, table, name, policy in chains
        if policy == "DROP" and (table, name) != (TABLE, CHAIN)
    )


def forward_chains() -> list[Chain] | Unseen:
    """All base chains of nftables in the hook forward; none where the kernel has no nftables."""
    try:
        with NFTables(nfgen_family=0) as nft:
            return [chain for each in nft.get_chains() if (chain := forward_chain(each))]
    except NetlinkError as error:
        if error.code == errno.EPERM:
            return NEEDS_ROOT
        if error.code in NO_NFTABLES:
            return []
        raise


def forward_chain(message: Any) -> Chain | None:  # noqa: ANN401 - pyroute2 has no types
    hook = message.get_attr("NFTA_CHAIN_HOOK")
    family = message["nfgen_family"]
    if hook is None or family not in FAMILIES:
        return None
    if hook.get_attr("NFTA_HOOK_HOOKNUM") != HOOK_FORWARD:
        return None
    policy = POLICIES.get(message.get_attr("NFTA_CHAIN_POLICY"), "ACCEPT")
    return family, message.get_attr("NFTA_CHAIN_TABLE"), message.get_attr("NFTA_CHAIN_NAME"), policy


def is_called(switch: str) -> bool:
    """Whether iptables sees what a bridge forwards; without br_netfilter it does not."""
    try:
        return (BRIDGE_SWITCHES / switch).read_text().strip() == "1"
    except OSError:
        return False


def legacy_rules(bridge: str) -> tuple[tuple[str, bool | None], ...]:
    """The commands of legacy tables in use, and whether our rule is there; None: cannot tell.
    AttachError."""
    return tuple((program, legacy.has_rule(program, bridge)) for program in legacy.used())
