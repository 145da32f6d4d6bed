"""A link's alternative names: given once in a network namespace, and gone with the link.

By a socket of our own: it takes 0.05 ms, where pyroute2 takes 0.4, in each container's start.
"""

from __future__ import annotations

import os
import socket
import struct

from waitforweave.attach.operstate import LINK
from waitforweave.gate import nlmsg, uapi

# linux/rtnetlink.h, linux/if_link.h, linux/netlink.h
RTM_NEWLINKPROP, RTM_DELLINKPROP = 108, 109
IFLA_PROP_LIST, IFLA_ALT_IFNAME = 52, 53
NLA_F_NESTED = 0x8000
NLM_F_ACK = 4
ERROR = struct.Struct("=i")
ANSWER_BYTES = 4096


def add(link: int, name: str) -> None:
    """EEXIST: some link has it, be it this one. OSError."""
    change(RTM_NEWLINKPROP, link, name)


def remove(link: int, name: str) -> None:
    """OSError."""
    change(RTM_DELLINKPROP, link, name)


def change(kind: int, link: int, name: str) -> None:
    names = nlmsg.encode_attribute(IFLA_ALT_IFNAME, name.encode() + b"\0")
    payload = LINK.pack(socket.AF_UNSPEC, 0, link, 0, 0)
    payload += nlmsg.encode_attribute(IFLA_PROP_LIST | NLA_F_NESTED, names)
    socket_kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    with socket.socket(socket.AF_NETLINK, socket_kind, socket.NETLINK_ROUTE) as kernel:
        kernel.sendto(nlmsg.encode(kind, uapi.NLM_F_REQUEST | NLM_F_ACK, 1, payload), (0, 0))
        answer = next(nlmsg.decode(kernel.recv(ANSWER_BYTES)))
    # struct nlmsgerr begins with it: 0, or a negative errno.
    (error,) = ERROR.unpack_from(answer.payload)
    if error:
        raise OSError(-error, os.strerror(-error))
