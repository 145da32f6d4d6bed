"""Whether anything in nftables has changed since we looked: the kernel counts (nfnetlink).

Reading a chain takes some 4 ms of processor time, which each attach would pay; its rules can only
have changed where the count has.
"""

from __future__ import annotations

import socket

from waitforweave.gate import nlmsg, uapi

NETLINK_NETFILTER = 12  # linux/netlink.h
# linux/netfilter/nfnetlink.h: NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN and NFT_MSG_GETGEN
NEWGEN, GETGEN = 10 << 8 | 15, 10 << 8 | 16
NFTA_GEN_ID = 1  # linux/netfilter/nf_tables.h
NFGENMSG = bytes(4)  # struct nfgenmsg: family, version, resource
ANSWER_BYTES = 4096


def generation() -> bytes | None:
    """The count of this namespace's changes; None where the kernel does not tell."""
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    try:
        with socket.socket(socket.AF_NETLINK, kind, NETLINK_NETFILTER) as kernel:
            kernel.sendto(nlmsg.encode(GETGEN, uapi.NLM_F_REQUEST, 1, NFGENMSG), (0, 0))
            answer = next(nlmsg.decode(kernel.recv(ANSWER_BYTES)))
    except OSError:
        return None  # No nfnetlink in this kernel.
    if answer.kind != NEWGEN:
        return None  # No nf_tables, or too old a one.
    return nlmsg.decode_attributes(answer.payload, len(NFGENMSG)).get(NFTA_GEN_ID)
