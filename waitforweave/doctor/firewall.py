"""Facts about the host's packet filter: what stands between two ports of our bridge."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from typing import Any

from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.nftables.main import NFTables

from waitforweave.attach import legacy
from waitforweave.attach.droppers import NF_DROP, NF_INET_FORWARD, droppers, is_shown
from waitforweave.attach.firewall import CHAIN, NO_NFTABLES, TABLE, handles, nftables
from waitforweave.doctor.facts import NEEDS_ROOT, Firewall, Unseen

NAMES = {socket.AF_INET: "IPv4", socket.AF_INET6: "IPv6"}


def firewalls(policies: Mapping[int, str], bridge: str) -> tuple[Firewall, ...]:
    """Each family's filter/FORWARD, with our rule in it or not. NetlinkError."""
    found = []
    for family, name in NAMES.items():
        policy = policies.get(int(family), "")
        rule = False
        if policy:
            with nftables(family) as nft:
                rule = bool(handles(nft, bridge))
        found.append(Firewall(name, policy, rule, is_shown(family)))
    return tuple(found)


def drops(bridge: str) -> tuple[tuple[str, str, str], ...]:
    """The other chains that drop what the bridge forwards: family, table, name. NetlinkError."""
    return tuple(each for each in droppers(bridge) if each[1:] != (TABLE, CHAIN))


def policies() -> dict[int, str] | Unseen:
    """The policy of filter/FORWARD by family; none where the kernel has no nftables."""
    try:
        with NFTables(nfgen_family=0) as nft:
            return dict(filter(None, map(policy_of, nft.get_chains())))
    except NetlinkError as error:
        if error.code == errno.EPERM:
            return NEEDS_ROOT
        if error.code in NO_NFTABLES:
            return {}
        raise


def policy_of(chain: Any) -> tuple[int, str] | None:  # noqa: ANN401 - pyroute2 has no types
    """The family and the policy, if this is that chain."""
    family, hook = chain["nfgen_family"], chain.get_attr("NFTA_CHAIN_HOOK")
    place = chain.get_attr("NFTA_CHAIN_TABLE"), chain.get_attr("NFTA_CHAIN_NAME")
    if family not in NAMES or place != (TABLE, CHAIN) or hook is None:
        return None
    if hook.get_attr("NFTA_HOOK_HOOKNUM") != NF_INET_FORWARD:
        return None
    return family, "DROP" if chain.get_attr("NFTA_CHAIN_POLICY") == NF_DROP else "ACCEPT"


def legacy_rules(bridge: str) -> tuple[tuple[str, bool | None], ...]:
    """The commands of legacy tables in use, and whether our rule is there; None: cannot tell.
    AttachError."""
    return tuple((program, legacy.has_rule(program, bridge)) for program in legacy.used())
