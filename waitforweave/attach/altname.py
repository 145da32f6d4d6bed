"""A link's alternative names: given once in a network namespace, and gone with the link."""

from __future__ import annotations

import socket

from waitforweave.attach.question import ask
from waitforweave.gate import nlmsg, rtnl

# linux/rtnetlink.h, linux/if_link.h, linux/netlink.h
RTM_NEWLINKPROP, RTM_DELLINKPROP = 108, 109
IFLA_PROP_LIST, IFLA_ALT_IFNAME = 52, 53
NLA_F_NESTED = 0x8000
NLM_F_ACK = 4


def add(link: int, name: str) -> None:
    """EEXIST: some link has it, be it this one. OSError."""
    change(RTM_NEWLINKPROP, link, name)


def remove(link: int, name: str) -> None:
    """OSError."""
    change(RTM_DELLINKPROP, link, name)


def change(kind: int, link: int, name: str) -> None:
    names = nlmsg.encode_attribute(IFLA_ALT_IFNAME, name.encode() + b"\0")
    payload = rtnl.IFINFOMSG.pack(socket.AF_UNSPEC, 0, link, 0, 0)
    ask(kind, payload + nlmsg.encode_attribute(IFLA_PROP_LIST | NLA_F_NESTED, names), NLM_F_ACK)
