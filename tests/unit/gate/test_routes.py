"""Routes from rtnetlink's bytes, and from the files of /proc."""

from __future__ import annotations

import socket
from struct import pack

import pytest

from tests.unit.gate.facts import route, route_message
from waitforweave.gate import nlmsg, routes, rtnl, uapi
from waitforweave.gate.asked import Destination
from waitforweave.gate.nlmsg import NetlinkDecodeError
from waitforweave.gate.routes import Route
from waitforweave.gate.rtnl import Gone


def decode(datagram: bytes) -> object:
    (message,) = nlmsg.decode(datagram)
    return rtnl.decode(message.kind, message.payload)


def payload(kind: int = 1, flags: int = 0, prefixlen: int = 0, attributes: bytes = b"") -> bytes:
    return pack("=BBBBBBBBI", socket.AF_INET, prefixlen, 0, 0, 254, 3, 0, kind, flags) + attributes


def test_a_route_is_read() -> None:
    found = decode(route_message(route("10.9.0.0/16", 7)))
    assert isinstance(found, Route)
    assert found.key == route("10.9.0.0/16", 7).key


def test_a_deleted_route_is_gone() -> None:
    found = decode(route_message(route("10.9.0.0/16", 7), uapi.RTM_DELROUTE))
    assert isinstance(found, Gone)
    assert isinstance(found.was, Route)
    assert found.was.key == route("10.9.0.0/16", 7).key


@pytest.mark.parametrize("kind", [0, 2, 3, 5, 6, 7, 8])
def test_what_carries_no_packet_of_ours_is_none(kind: int) -> None:
    assert routes.decode_route(payload(kind=kind)) is None


def test_what_is_in_a_cache_is_none() -> None:
    assert routes.decode_route(payload(flags=uapi.RTM_F_CLONED)) is None


OIF = nlmsg.encode_attribute(uapi.RTA_OIF, pack("=i", 7))
RTNH_F_DEAD, RTNH_F_LINKDOWN = 1, 16
HOP, DEAD_HOP = pack("=HBBi", 8, 0, 0, 8), pack("=HBBi", 8, RTNH_F_DEAD, 0, 9)


@pytest.mark.parametrize(
    ("flags", "attributes", "indices"),
    [
        (0, OIF, (7,)),
        # Whether they are alive their links say: nobody is told when these flags change.
        (RTNH_F_DEAD, OIF, (7,)),
        (RTNH_F_LINKDOWN, OIF, (7,)),
        (0, nlmsg.encode_attribute(uapi.RTA_MULTIPATH, HOP + DEAD_HOP + HOP), (8, 9, 8)),
        (0, b"", ()),
    ],
)
def test_the_interfaces_that_it_leads_out_of(
    flags: int, attributes: bytes, indices: tuple[int, ...]
) -> None:
    found = routes.decode_route(payload(flags=flags, attributes=attributes))
    assert found is not None
    assert found.indices == indices


@pytest.mark.parametrize(
    "broken",
    [
        payload()[:5],
        payload(attributes=nlmsg.encode_attribute(uapi.RTA_DST, b"abc")),
        payload(prefixlen=33, attributes=nlmsg.encode_attribute(uapi.RTA_DST, b"abcd")),
        payload(attributes=nlmsg.encode_attribute(uapi.RTA_OIF, b"ab")),
        payload(attributes=nlmsg.encode_attribute(uapi.RTA_TABLE, b"ab")),
        payload(attributes=nlmsg.encode_attribute(uapi.RTA_MULTIPATH, HOP[:5])),
        payload(attributes=nlmsg.encode_attribute(uapi.RTA_MULTIPATH, pack("=HBBi", 7, 0, 0, 8))),
        payload(attributes=nlmsg.encode_attribute(uapi.RTA_MULTIPATH, pack("=HBBi", 99, 0, 0, 8))),
    ],
)
def test_what_is_cut_or_odd_is_an_error(broken: bytes) -> None:
    with pytest.raises(NetlinkDecodeError):
        routes.decode_route(broken)


DEFAULT, DEFAULT_V4 = Destination(0, b"", 0, "default"), Destination(2, bytes(4), 0, "0.0.0.0/0")
NET = Destination(2, bytes([10, 9, 0, 0]), 16, "10.9.0.0/16")


@pytest.mark.parametrize(
    ("to", "by", "reached"),
    [
        (DEFAULT, "0.0.0.0/0", True),
        (DEFAULT, "::/0", True),
        (DEFAULT, "10.0.0.0/8", False),
        (DEFAULT_V4, "0.0.0.0/0", True),
        (DEFAULT_V4, "::/0", False),
        (NET, "10.9.0.0/16", True),
        (NET, "10.0.0.0/8", False),
        (NET, "10.9.0.0/24", False),
    ],
)
def test_where_a_route_leads(to: Destination, by: str, reached: bool) -> None:
    assert to.is_reached_by(route(by, 7)) is reached


PROC_ROUTE = b"""\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0102000A\t0003\t0\t0\t7\t00000000\t0\t0\t0
ethwe\t000000E0\t00000000\t0001\t0\t0\t0\t000000F0\t0\t0\t0
ethwe\t0000090A\t00000000\t0201\t0\t0\t0\t0000FFFF\t0\t0\t0
gone\t0000080A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
short
"""
PROC_ROUTE6 = (
    b"20010db8000000000000000000000000 40 00000000000000000000000000000000 00 "
    b"00000000000000000000000000000000 00000100 00000001 00000000 00000001    ethwe\n"
    b"00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
    b"00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n"
    b"odd\n"
)
INDICES = {b"eth0": 2, b"ethwe": 3, b"lo": 1}


def test_the_lines_of_proc_net_route() -> None:
    found = list(routes.decode_proc_inet(PROC_ROUTE, INDICES))
    assert [one.key for one in found] == [
        route("0.0.0.0/0", 2, table=0, priority=7).key,
        route("224.0.0.0/4", 3, table=0).key,
    ]


def test_the_lines_of_proc_net_ipv6_route() -> None:
    found = list(routes.decode_proc_inet6(PROC_ROUTE6, INDICES))
    assert [one.key for one in found] == [route("2001:db8::/64", 3, table=0, priority=256).key]
