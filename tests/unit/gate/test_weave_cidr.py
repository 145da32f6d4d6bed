"""The grammar of WEAVE_CIDR (docker.md): what each word promises, and what each error says."""

from __future__ import annotations

import ipaddress
from socket import AF_INET, AF_INET6, inet_pton

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waitforweave.gate import weave_cidr
from waitforweave.gate.weave_cidr import ADDRESS, DEFAULT, SUBNET, WeaveCidrError


def texts(value: str) -> list[str]:
    return [wanted.text for wanted in weave_cidr.parse(value)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("10.2.1.5/24", ["10.2.1.5/24"]),
        ("ip:10.2.1.5/24", ["10.2.1.5/24"]),
        ("10.255.0.51/8", ["10.255.0.51/8"]),  # the seed's own
        ("10.2.1.5/32", ["10.2.1.5/32"]),
        ("10.2.1.4/31", ["10.2.1.4/31"]),
        ("10.2.1.5/31", ["10.2.1.5/31"]),
        ("net:10.2.2.0/24", ["net:10.2.2.0/24"]),
        ("net:10.2.2.1/32", ["net:10.2.2.1/32"]),
        ("net:default", ["net:default"]),
        ("", ["net:default"]),
        ("   ", ["net:default"]),
        ("none", []),
        (" none ", []),
        ("10.2.1.5/24,10.2.1.6/24", ["10.2.1.5/24", "10.2.1.6/24"]),
        ("10.2.1.5/24 10.2.1.6/24", ["10.2.1.5/24", "10.2.1.6/24"]),
        ("10.2.1.5/24,  10.2.1.6/24 ", ["10.2.1.5/24", "10.2.1.6/24"]),
        ("10.2.1.5/24 ip:10.2.1.5/24", ["10.2.1.5/24"]),
        ("10.2.1.5/24 10.2.1.5/16", ["10.2.1.5/24", "10.2.1.5/16"]),
        (
            "net:default,10.2.1.5/24,net:10.3.0.0/16",
            ["net:default", "10.2.1.5/24", "net:10.3.0.0/16"],
        ),
        ("2001:DB8::0005/64", ["2001:db8::5/64"]),
        ("ip:2001:db8::5/64", ["2001:db8::5/64"]),
        ("net:2001:db8::/32", ["net:2001:db8::/32"]),
        ("2001:db8::/127", ["2001:db8::/127"]),
        ("2001:db8::ffff:ffff:ffff:ffff/64", ["2001:db8::ffff:ffff:ffff:ffff/64"]),
        ("fe80::5/64", ["fe80::5/64"]),
    ],
)
def test_words_and_their_canonical_text(value: str, expected: list[str]) -> None:
    assert texts(value) == expected


def test_an_address_has_its_parts() -> None:
    (wanted,) = weave_cidr.parse("ip:10.2.1.5/24")
    assert (wanted.kind, wanted.family, wanted.prefixlen) == (ADDRESS, AF_INET, 24)
    assert wanted.packed == bytes([10, 2, 1, 5])


def test_a_subnet_has_its_parts() -> None:
    (wanted,) = weave_cidr.parse("net:2001:db8::/32")
    assert (wanted.kind, wanted.family, wanted.prefixlen) == (SUBNET, AF_INET6, 32)
    assert wanted.packed == inet_pton(AF_INET6, "2001:db8::")


def test_the_default_has_no_family() -> None:
    (wanted,) = weave_cidr.parse("")
    assert (wanted.kind, wanted.family, wanted.packed, wanted.prefixlen) == (DEFAULT, 0, b"", 0)


def test_wanted_are_values() -> None:
    one, other = weave_cidr.parse("10.2.1.5/24"), weave_cidr.parse("ip:10.2.1.5/24")
    assert one == other
    assert hash(one[0]) == hash(other[0])
    assert one != weave_cidr.parse("10.2.1.6/24")
    assert one[0] != "10.2.1.5/24"
    assert repr(one[0]) == "Wanted('10.2.1.5/24')"


NOT_AN_IP = "is not an IP address with its prefix length"
BAD_LENGTH = "has a prefix length that is not 1 to 32"
NOT_A_HOST = "is not an address that an interface can have"
NOT_ASCII = "has a character that is not printable ASCII"
LONE_COMMA = "has a comma with no word beside it"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("10.2.1.300/24", NOT_AN_IP),
        ("nonsense", NOT_AN_IP),
        ("/24", NOT_AN_IP),
        ("10.2.1/24", NOT_AN_IP),
        ("10.2.1.05/24", NOT_AN_IP),
        ("0x0a020105/24", NOT_AN_IP),
        ("ip:ip:10.2.1.5/24", NOT_AN_IP),
        ("ip:", NOT_AN_IP),
        ("net:", NOT_AN_IP),
        ("NET:10.2.2.0/24", NOT_AN_IP),
        ("net:Default", NOT_AN_IP),
        ("10.2.1.5;reboot/24", NOT_AN_IP),
        ("../../etc/24", NOT_AN_IP),
        ("fe80::1%eth0/64", NOT_AN_IP),
        ("10.2.1.5", "has no prefix length"),
        ("2001:db8::5", "has no prefix length"),
        ("10.2.1.5/", BAD_LENGTH),
        ("10.2.1.5/33", BAD_LENGTH),
        ("10.2.1.5/0", BAD_LENGTH),
        ("10.2.1.5/024", BAD_LENGTH),
        ("10.2.1.5/+24", BAD_LENGTH),
        ("10.2.1.5/-1", BAD_LENGTH),
        ("10.2.1.5/2_4", BAD_LENGTH),
        ("10.2.1.5/24/24", BAD_LENGTH),
        ("10.2.1.5/" + "9" * 5000, BAD_LENGTH),
        ("10.2.1.5/255.255.255.0", BAD_LENGTH),
        ("2001:db8::5/129", "has a prefix length that is not 1 to 128"),
        ("net:10.2.2.1/24", "has bits set beyond its prefix length of 24"),
        ("net:2001:db8::1/64", "has bits set beyond its prefix length of 64"),
        ("10.2.1.0/24", 'is a network, not an address (did you mean "net:10.2.1.0/24"?)'),
        ("2001:db8::/64", 'is a network, not an address (did you mean "net:2001:db8::/64"?)'),
        ("10.2.1.255/24", "is the broadcast address of its network"),
        ("0.0.0.0/8", NOT_A_HOST),
        ("127.0.0.1/8", NOT_A_HOST),
        ("224.0.0.1/24", NOT_A_HOST),
        ("255.255.255.255/32", NOT_A_HOST),
        ("::/128", NOT_A_HOST),
        ("::1/128", NOT_A_HOST),
        ("ff02::1/128", NOT_A_HOST),
        ("::ffff:10.2.1.5/120", NOT_A_HOST),
        ("::10.2.1.5/120", NOT_A_HOST),
        ("net:224.0.0.0/4", "is not a network that interfaces can have addresses of"),
        ("10.2.1.5/24,", LONE_COMMA),
        (",", LONE_COMMA),
        ("10.2.1.5/24, ,10.2.1.6/24", LONE_COMMA),
        ("10.2.1.5/24\n", NOT_ASCII),
        ("10.2.1.5/24\t10.2.1.6/24", NOT_ASCII),
        ("10.2.1.5\0/24", NOT_ASCII),
        ("\udcff", NOT_ASCII),
        ("10.2.1.5/\u0662\u0664", NOT_ASCII),
    ],
)
def test_a_wrong_word_is_named_with_its_reason(word: str, reason: str) -> None:
    with pytest.raises(WeaveCidrError) as caught:
        weave_cidr.parse(word)
    assert (caught.value.word, caught.value.reason) == (word, reason)


@pytest.mark.parametrize("value", ["10.2.1.5/24 none", "none,10.2.1.5/24", "none,none"])
def test_none_stands_alone(value: str) -> None:
    with pytest.raises(WeaveCidrError, match="cannot stand beside other words") as caught:
        weave_cidr.parse(value)
    assert caught.value.word == "none"


def test_the_wrong_word_is_found_among_right_ones() -> None:
    with pytest.raises(WeaveCidrError) as caught:
        weave_cidr.parse("10.2.1.5/24 nonsense net:default")
    assert caught.value.word == "nonsense"


def test_the_message_says_where_what_and_what_is_allowed() -> None:
    with pytest.raises(WeaveCidrError) as caught:
        weave_cidr.parse("10.2.1.300/24")
    assert str(caught.value) == (
        'WEAVE_CIDR: "10.2.1.300/24" is not an IP address with its prefix length; allowed: '
        "10.2.1.5/24, ip:10.2.1.5/24, net:10.2.2.0/24, net:default, or none alone"
    )


def test_a_message_is_one_short_printable_line() -> None:
    with pytest.raises(WeaveCidrError) as caught:
        weave_cidr.parse("\x1b[2J\n" + "x" * 100_000)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 300
    assert "\\x1b[2J\\nxxx" in message


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_parsed_or_a_weave_cidr_error(value: str) -> None:
    try:
        wanted = texts(value)
    except WeaveCidrError as error:
        wanted, message = [], str(error)
        assert message.isprintable()
    assert texts(",".join(wanted) or "none") == wanted


@settings(deadline=None)
@given(st.ip_addresses(), st.integers(min_value=-1, max_value=130))
def test_addresses_agree_with_the_standard_library(
    host: ipaddress.IPv4Address | ipaddress.IPv6Address, prefixlen: int
) -> None:
    try:
        (wanted,) = weave_cidr.parse(f"{host}/{prefixlen}")
    except WeaveCidrError:
        assert not could_be_a_host(host, prefixlen)
    else:
        assert could_be_a_host(host, prefixlen)
        assert (wanted.packed, wanted.prefixlen) == (host.packed, prefixlen)
        assert wanted.text == ipaddress.ip_interface(f"{host}/{prefixlen}").with_prefixlen


def could_be_a_host(host: ipaddress.IPv4Address | ipaddress.IPv6Address, prefixlen: int) -> bool:
    """The same rules said with `ipaddress`."""
    if not 1 <= prefixlen <= host.max_prefixlen:
        return False
    if host.is_multicast or host.is_loopback or host.is_unspecified:
        return False
    if host.version == 6 and int(host) >> 32 in (0, 0xFFFF):
        return False
    if host.version == 4 and (host.is_reserved or host in ipaddress.ip_network("0.0.0.0/8")):
        return False
    network = ipaddress.ip_network(f"{host}/{prefixlen}", strict=False)
    if network.num_addresses <= 2:
        return True
    if host.version == 4 and host == network.broadcast_address:
        return False
    return host != network.network_address
