"""Other people's nftables chains that drop what our bridge forwards.

Each base chain of the hook decides for itself, and a drop in any of them is final, whatever ours
accepts (nft(8)). Those are somebody's own policy (firewalld's, or a /etc/nftables.conf): a hole in
it is not ours to make, but a line on stderr says which it is and what to type.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from typing import Any

from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.nfnetlink.nftsocket import NFT_MSG_GETRULE, nft_rule_msg
from pyroute2.nftables.main import NFTables

from waitforweave.attach.firewall import COUNTER, nftables, through, words
from waitforweave.attach.pair import HOST_END
from waitforweave.attach.sysctl import read_switch

log = logging.getLogger(__name__)

# linux/netfilter.h: NFPROTO_*, and the hooks, which have the same numbers for bridges.
INET, BRIDGE_FAMILY = 1, 7
FAMILIES = {INET: "inet", socket.AF_INET: "ip", socket.AF_INET6: "ip6", BRIDGE_FAMILY: "bridge"}
# In the family "bridge" the interfaces are the bridge's ports, which are all ours.
PORTS = f"{HOST_END}+"
NF_DROP, NF_INET_PRE_ROUTING, NF_INET_FORWARD = 0, 0, 2
FIREWALLD = "firewalld"
# Whether what one bridge forwards between its own ports is shown to the tables of IP, too.
SWITCHES = {
    INET: ("bridge-nf-call-iptables", "bridge-nf-call-ip6tables"),
    socket.AF_INET: ("bridge-nf-call-iptables",),
    socket.AF_INET6: ("bridge-nf-call-ip6tables",),
}


def tell_of_droppers(bridge: str) -> None:
    """A line for each such chain."""
    try:
        found, unrouted = droppers(bridge), without_way_back()
    except NetlinkError as error:  # A firewall that is being loaded, say: nothing hangs on it.
        reason = os.strerror(error.code)
        log.warning("the other chains of nftables cannot be read: %s", reason)
        return
    for family, table, chain in found:
        log.warning(
            "the nftables chain %s %s %s drops what is forwarded; if containers do not reach each "
            "other, type: %s",
            *(family, table, chain, cure(bridge, family, table, chain)),
        )
    for chain_of in unrouted:
        log.warning(
            "the nftables chain %s drops what the host has no way back for; if containers do not "
            "reach each other, by IPv6 say, give the host an address of theirs: weavewait expose",
            " ".join(chain_of),
        )


def cure(bridge: str, family: str, table: str, chain: str) -> str:
    """What whoever rules that chain types."""
    if table == FIREWALLD:  # It writes its tables anew, and would take a rule of ours away.
        return (
            f"firewall-cmd --permanent --zone=trusted --add-interface={bridge} && "
            "firewall-cmd --reload"
        )
    name = f"'{HOST_END}*'" if family == FAMILIES[BRIDGE_FAMILY] else bridge
    return f"nft insert rule {family} {table} {chain} iifname {name} oifname {name} accept"


def droppers(bridge: str) -> list[tuple[str, str, str]]:
    """Family, table and name of each chain that sees our bridge's traffic, drops, and has no rule
    that lets ours through."""
    found = []
    for family in filter(is_shown, FAMILIES):
        name = PORTS if family == BRIDGE_FAMILY else bridge
        with nftables(family) as nft:
            for table, chain, drops in chains(nft, NF_INET_FORWARD):
                rules = rules_of(nft, table, chain)
                if any(through(rule, name) for rule in rules):
                    continue
                if drops or (rules and refuses(rules[-1])):
                    found.append((FAMILIES[family], table, chain))
    return found


def without_way_back() -> list[tuple[str, str, str]]:
    """Those that drop by the route back to the sender (firewalld's IPv6_rpfilter): a host that has
    no address on our bridge has none."""
    found = []
    for family in (INET, socket.AF_INET, socket.AF_INET6):
        if not is_shown(family):
            continue
        with nftables(family) as nft:
            for table, chain, _ in chains(nft, NF_INET_PRE_ROUTING):
                if any(asks_way_back(rule) for rule in rules_of(nft, table, chain)):
                    found.append((FAMILIES[family], table, chain))
    return found


def asks_way_back(rule: Any) -> bool:  # noqa: ANN401 - pyroute2 has no types
    does = words(rule)
    return ("fib",) in does and does[-1] == ("immediate", "NF_DROP")


def is_shown(family: int) -> bool:
    names = SWITCHES.get(family)
    return names is None or any(read_switch(f"net/bridge/{name}") == "1" for name in names)


def chains(nft: NFTables, number: int) -> Iterator[tuple[str, str, bool]]:
    """The table and name of each base chain of the hook, and whether its policy is to drop."""
    for chain in nft.get_chains():
        hook = chain.get_attr("NFTA_CHAIN_HOOK")
        if hook is not None and hook.get_attr("NFTA_HOOK_HOOKNUM") == number:
            drops = chain.get_attr("NFTA_CHAIN_POLICY") == NF_DROP
            yield chain.get_attr("NFTA_CHAIN_TABLE"), chain.get_attr("NFTA_CHAIN_NAME"), drops


def rules_of(nft: NFTables, table: str, chain: str) -> list[Any]:
    message = nft_rule_msg()
    message["attrs"] = [("NFTA_RULE_TABLE", table), ("NFTA_RULE_CHAIN", chain)]
    return list(nft.request_get(message, NFT_MSG_GETRULE))


def refuses(rule: Any) -> bool:  # noqa: ANN401 - pyroute2 has no types
    """Whether it drops or rejects all that comes to it."""
    does = [word for word in words(rule) if word not in (COUNTER, ("log",))]
    return does in ([("reject",)], [("immediate", "NF_DROP")])
