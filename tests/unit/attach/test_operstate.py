"""The kernel's word that a link is up, picked out of whatever comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waitforweave.attach.operstate import says_up
from waitforweave.gate.nlmsg import ATTRIBUTE, HEADER
from waitforweave.gate.rtnl import IFINFOMSG as LINK
from waitforweave.gate.uapi import IFLA_OPERSTATE

NAME = ATTRIBUTE.pack(10, 3) + b"ethwe\0" + b"\0\0"  # IFLA_IFNAME, padded to 4


def message(kind: int = 16, index: int = 7, state: int = 6, before: bytes = NAME) -> bytes:
    body = LINK.pack(0, 1, index, 0, 0) + before
    body += ATTRIBUTE.pack(5, IFLA_OPERSTATE) + bytes([state]) + b"\0\0\0"
    return HEADER.pack(HEADER.size + len(body), kind, 0, 0, 0) + body


def test_up_is_up():
    assert says_up(message(), 7)


@pytest.mark.parametrize(
    "other",
    [
        message(index=8),
        message(kind=17),  # RTM_DELLINK
        message(kind=2),  # NLMSG_ERROR
        *[message(state=state) for state in range(6)],
        message(before=b"\0\0\0\0"),  # an attribute of no length
        b"",
    ],
)
def test_anything_else_is_not(other):
    assert not says_up(other, 7)


@given(st.integers(0, len(message()) - 4))
def test_nor_is_one_that_was_cut(length):
    assert not says_up(message()[:length], 7)


@given(st.binary(max_size=200))
def test_no_bytes_are_an_error(noise):
    says_up(message()[:32] + noise, 7)
    says_up(noise, 7)
