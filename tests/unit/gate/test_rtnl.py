"""Payloads: the same facts as pyroute2 reads, in recorded and in made-up messages."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from tests.unit.gate import captured
from waitforweave.gate import nlmsg, rtnl, uapi
from waitforweave.gate.nlmsg import NetlinkDecodeError
from waitforweave.gate.rtnl import Address, Gone, Link

HEADER = 16


@pytest.mark.parametrize("capture", captured.everything(), ids=lambda capture: capture.name)
def test_recorded_datagrams_say_what_pyroute2_reads(capture: captured.Capture) -> None:
    told = [line for datagram in capture.datagrams for line in captured.tell(datagram)]
    assert told == capture.told
    assert told


def link_payload(index: int = 2, flags: int = 1, family: int = 0, attributes: bytes = b"") -> bytes:
    return pack("=BxHiII", family, 1, index, flags, 0) + attributes


def address_payload(
    packed: bytes = b"\x0a\x02\x01\x05", prefixlen: int = 24, flags: int = 0x80, more: bytes = b""
) -> bytes:
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    head = pack("=BBBBI", family, prefixlen, flags, 0, 3)
    return head + nlmsg.encode_attribute(uapi.IFA_ADDRESS, packed) + more


def name(value: bytes) -> bytes:
    return nlmsg.encode_attribute(uapi.IFLA_IFNAME, value)


@settings(deadline=None)
@given(
    st.integers(1, 0x7FFFFFFF),
    st.from_regex(r"[a-z][a-z0-9.@-]{0,14}", fullmatch=True),
    st.integers(0, 0xFFFFFFFF),
    st.sampled_from(captured.OPERSTATES),
)
def test_links_that_pyroute2_encodes(index: int, ifname: str, flags: int, state: str) -> None:
    message = ifinfmsg()
    message["index"], message["flags"] = index, flags
    message["attrs"] = [("IFLA_MTU", 1500), ("IFLA_IFNAME", ifname), ("IFLA_OPERSTATE", state)]
    message.encode()
    link = rtnl.decode(uapi.RTM_NEWLINK, bytes(message.data)[HEADER:])
    assert isinstance(link, Link)
    assert captured.tell_fact(link) == f"link {index} {ifname} {flags:#x} {state}"


@settings(deadline=None)
@given(st.ip_addresses(), st.integers(0, 32), st.integers(0, 0xFFFFFFFF), st.integers(0, 255))
def test_addresses_that_pyroute2_encodes(
    ip: IPv4Address | IPv6Address, length: int, flags: int, scope: int
) -> None:
    message = ifaddrmsg()
    message["family"] = socket.AF_INET if "." in str(ip) else socket.AF_INET6
    message["prefixlen"], message["index"], message["scope"] = length, 7, scope
    message["attrs"] = [("IFA_ADDRESS", str(ip)), ("IFA_FLAGS", flags)]
    message.encode()
    address = rtnl.decode(uapi.RTM_NEWADDR, bytes(message.data)[HEADER:])
    assert isinstance(address, Address)
    assert (address.packed, address.prefixlen) == (ip.packed, length)
    assert (address.flags, address.scope, address.index) == (flags, scope, 7)


def test_requests_are_read_by_pyroute2() -> None:
    links, addresses = ifinfmsg(rtnl.dump_links(5)), ifaddrmsg(rtnl.dump_addresses(6))
    links.decode()
    addresses.decode()
    for message, kind, sequence in ((links, 18, 5), (addresses, 22, 6)):
        header = message["header"]
        assert (header["type"], header["sequence_number"], header["flags"]) == (
            kind,
            sequence,
            0x301,
        )
        assert message["family"] == socket.AF_UNSPEC
    assert links.get_attr("IFLA_EXT_MASK") == 8  # RTEXT_FILTER_SKIP_STATS


def test_deleted_ones_are_gone() -> None:
    link = rtnl.decode(uapi.RTM_DELLINK, link_payload(attributes=name(b"ethwe\0")))
    address = rtnl.decode(uapi.RTM_DELADDR, address_payload())
    assert isinstance(link, Gone)
    assert isinstance(link.was, Link)
    assert isinstance(address, Gone)
    assert isinstance(address.was, Address)


def test_a_bridge_that_lost_a_port_did_not_lose_the_interface() -> None:
    payload = link_payload(family=socket.AF_BRIDGE, attributes=name(b"far\0"))
    assert rtnl.decode(uapi.RTM_DELLINK, payload) is None
    assert rtnl.decode(uapi.RTM_NEWLINK, payload) is None


@pytest.mark.parametrize("kind", [0, 1, 19, 28, 0xFFFF])
def test_other_messages_are_none_of_ours(kind: int) -> None:
    assert rtnl.decode(kind, b"anything") is None


def test_other_families_are_none_of_ours() -> None:
    assert rtnl.decode(uapi.RTM_NEWADDR, pack("=BBBBI", 28, 0, 0, 0, 1)) is None


def test_a_link_without_operstate_is_unknown() -> None:
    link = rtnl.decode(uapi.RTM_NEWLINK, link_payload(attributes=name(b"ethwe\0")))
    assert isinstance(link, Link)
    assert link.operstate == uapi.IF_OPER_UNKNOWN


def test_local_beats_peer() -> None:
    local = nlmsg.encode_attribute(uapi.IFA_LOCAL, b"\x0a\x09\x00\x01")
    address = rtnl.decode(uapi.RTM_NEWADDR, address_payload(more=local))
    assert isinstance(address, Address)
    assert address.text == "10.9.0.1/24"
    assert address.peer != address.packed


def test_the_wide_flags_beat_the_narrow_ones() -> None:
    wide = nlmsg.encode_attribute(uapi.IFA_FLAGS, pack("=I", 0x380))
    address = rtnl.decode(uapi.RTM_NEWADDR, address_payload(flags=0x40, more=wide))
    assert isinstance(address, Address)
    assert address.flags == 0x380


def test_without_wide_flags_the_narrow_ones_count() -> None:
    address = rtnl.decode(uapi.RTM_NEWADDR, address_payload(flags=0x48))
    assert isinstance(address, Address)
    assert address.flags == 0x48


@pytest.mark.parametrize(
    ("kind", "payload", "what"),
    [
        (16, b"", "0 bytes are no struct ifinfomsg"),
        (16, link_payload()[:-1], "15 bytes are no struct ifinfomsg"),
        (16, link_payload(), "IFLA_IFNAME of 0 bytes"),
        (16, link_payload(attributes=name(b"\0ethwe")), "IFLA_IFNAME of 0 bytes"),
        (16, link_payload(attributes=name(b"x" * 16)), "IFLA_IFNAME of 16 bytes"),
        (
            16,
            link_payload(attributes=name(b"e\0") + nlmsg.encode_attribute(16, b"\6\0")),
            "IFLA_OPERSTATE of 2 bytes",
        ),
        (17, link_payload(attributes=b"abc"), "3 bytes are no attribute header"),
        (20, b"\2", "1 bytes are no struct ifaddrmsg"),
        (20, pack("=BBBBI", 2, 24, 0, 0, 3), "address of 0 bytes with prefix length 24"),
        (20, address_payload(prefixlen=33), "address of 4 bytes with prefix length 33"),
        (20, b"\x0a" + address_payload()[1:], "address of 4 bytes with prefix length 24"),
        (21, address_payload(more=nlmsg.encode_attribute(8, b"\1")), "1 bytes are no IFA_FLAGS"),
    ],
)
def test_odd_payloads_are_errors(kind: int, payload: bytes, what: str) -> None:
    with pytest.raises(NetlinkDecodeError, match=what):
        rtnl.decode(kind, payload)


@pytest.mark.parametrize(("value", "errno"), [(0, 0), (-1, 1), (-105, 105)])
def test_an_error_has_its_errno(value: int, errno: int) -> None:
    assert rtnl.decode_error(pack("=i", value) + b"the request") == errno


def test_a_cut_error_is_an_error() -> None:
    with pytest.raises(NetlinkDecodeError, match="3 bytes are no struct nlmsgerr"):
        rtnl.decode_error(b"\0\0\0")
