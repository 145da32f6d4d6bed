"""Our bridge's traffic passes Docker's firewall, and the rules for it go again with us.

Docker sets the policy of FORWARD to DROP, and where bridge-nf-call-iptables is 1 that holds for
what a bridge forwards too (pipework#211). An accept elsewhere does not help: a drop in any chain
of the hook is final (nft(8)). So the rule goes to the head of that very chain.

The rule is made of the expressions that iptables-nft itself makes of
`iptables -I FORWARD -i weave -o weave -j ACCEPT`, so that `iptables -S` shows it as that.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from pyroute2.netlink import NLM_F_ACK, NLM_F_REQUEST
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.nfnetlink.nftsocket import (
    NFT_MSG_GETCHAIN,
    NFT_MSG_GETRULE,
    nft_chain_msg,
    nft_rule_msg,
)
from pyroute2.nftables.expressions import genex, verdict
from pyroute2.nftables.main import NFTables

from waitforweave.attach.ruleset import generation

TABLE, CHAIN = "filter", "FORWARD"
NF_ACCEPT = 1  # linux/netfilter.h
FAMILIES = (socket.AF_INET, socket.AF_INET6)
# linux/netfilter/nf_tables.h
NFT_META_IIFNAME, NFT_META_OIFNAME = 6, 7
NFT_CMP_EQ = 0
NFT_REG_1 = 1
COUNTER = ("counter",)
# No nftables in this kernel, or nothing of this family: then nothing of it drops our traffic.
NO_NFTABLES = (errno.EOPNOTSUPP, errno.EPROTONOSUPPORT, errno.EINVAL)


def open_forwarding(bridge: str, families: Iterable[int] = FAMILIES) -> None:
    """Let through what comes from `bridge` and goes to it. Idempotent. NetlinkError."""
    for family in families:
        with nftables(family) as nft:
            if not handles(nft, bridge) and has_chain(nft):
                nft.rule("insert", table=TABLE, chain=CHAIN, expressions=(forward_rule(bridge),))


class Opened:
    """What was opened, and when by the kernel's count of changes: until the next one it still is.

    A firewall's reload takes our rule away at any time, so each attach asks.
    """

    def __init__(self, bridge: str) -> None:
        self._bridge = bridge
        self._known: tuple[bytes | None, frozenset[int]] = (None, frozenset())

    def ensure(self, families: frozenset[int]) -> None:
        """`open_forwarding`, where it is not for sure that it was done. NetlinkError."""
        # Before we look: a change in between makes us look again.
        now = generation()
        known, opened = self._known
        if now is not None and now == known and families <= opened:
            return
        open_forwarding(self._bridge, families)
        self._known = now, families | (opened if now == known else frozenset())


def close_forwarding(bridge: str) -> None:
    """Take that rule away again, wherever in the chain it is. NetlinkError."""
    for family in FAMILIES:
        with nftables(family) as nft:
            for handle in handles(nft, bridge):
                nft.rule("del", table=TABLE, chain=CHAIN, handle=handle)


@contextmanager
def nftables(family: int) -> Iterator[NFTables]:
    """A netlink socket to one family's tables; leaves the block where the kernel has none."""
    try:
        with NFTables(nfgen_family=family) as nft:
            yield nft
    except NetlinkError as error:
        if error.code not in NO_NFTABLES:
            raise


def forward_rule(bridge: str) -> list[Any]:
    """Name in and name out, each compared with its final NUL (without one iptables takes it for
    `-i weave+`), a counter, accept."""
    words: list[Any] = []
    for key in (NFT_META_IIFNAME, NFT_META_OIFNAME):
        words.append(genex("meta", {"key": key, "dreg": NFT_REG_1}))
        data = {"attrs": [("NFTA_DATA_VALUE", bridge.encode() + b"\0")]}
        words.append(genex("cmp", {"sreg": NFT_REG_1, "op": NFT_CMP_EQ, "data": data}))
    words.append(genex("counter", {"bytes": 0, "packets": 0}))
    return [*words, *verdict(NF_ACCEPT)]


def has_chain(nft: NFTables) -> bool:
    """Whether the socket's family has a chain filter/FORWARD in nftables at all."""
    chain = nft_chain_msg()
    chain["attrs"] = [("NFTA_CHAIN_TABLE", TABLE), ("NFTA_CHAIN_NAME", CHAIN)]
    try:
        nft.request_get(chain, NFT_MSG_GETCHAIN, NLM_F_REQUEST | NLM_F_ACK)
    except NetlinkError as error:
        if error.code == errno.ENOENT:
            return False
        raise
    return True


def handles(nft: NFTables, bridge: str) -> list[int]:
    """The handles of our rule, in filter/FORWARD of the socket's family. No chain, no rule."""
    # The kernel leaves all other chains out; with kube-proxy's they are thousands of rules, and
    # 80 ms for each thousand.
    chain = nft_rule_msg()
    chain["attrs"] = [("NFTA_RULE_TABLE", TABLE), ("NFTA_RULE_CHAIN", CHAIN)]
    return [
        rule.get_attr("NFTA_RULE_HANDLE")
        for rule in nft.request_get(chain, NFT_MSG_GETRULE)
        if is_ours(rule, bridge)
    ]


def is_ours(rule: Any, bridge: str) -> bool:  # noqa: ANN401 - pyroute2 has no types
    """Whether it says what forward_rule() says and nothing else: a person's own rule about our
    bridge, that drops something, say, is left alone."""
    return through(rule, bridge) and COUNTER in words(rule)


def through(rule: Any, name: str) -> bool:  # noqa: ANN401
    """Whether it lets what comes from an interface of this name and goes to one through, counted
    or not; a name may end in "+", as iptables writes it."""
    equal = ("NFT_CMP_EQ", name.encode())
    return [word for word in words(rule) if word != COUNTER] == [
        ("meta", "NFT_META_IIFNAME"),
        ("cmp", *equal),
        ("meta", "NFT_META_OIFNAME"),
        ("cmp", *equal),
        ("immediate", "NF_ACCEPT"),
    ]


def words(rule: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401
    return [said(each) for each in rule.get_attr("NFTA_RULE_EXPRESSIONS") or ()]


def said(expression: Any) -> tuple[Any, ...]:  # noqa: ANN401
    """An expression's kind, and of what it holds the part that counts."""
    kind = expression.get_attr("NFTA_EXPR_NAME")
    data = expression.get_attr("NFTA_EXPR_DATA")
    if kind == "meta":
        return kind, data.get_attr("NFTA_META_KEY")
    if kind == "cmp":
        value = bytes(data.get_attr("NFTA_CMP_DATA").get_attr("NFTA_DATA_VALUE") or b"")
        # Some iptables-nft pad the name to IFNAMSIZ; without any NUL it is a prefix, "weave+".
        name = value.rstrip(b"\0") if value.endswith(b"\0") else value + b"+"
        return kind, data.get_attr("NFTA_CMP_OP"), name
    if kind == "immediate":
        code = data.get_attr("NFTA_IMMEDIATE_DATA").get_attr("NFTA_DATA_VERDICT")
        return kind, code.get_attr("NFTA_VERDICT_CODE") if code is not None else None
    return (kind,)
