"""The values of options: each wrong one is named with what is allowed."""

from __future__ import annotations

import pytest

from waitforweave.gate import values
from waitforweave.gate.options import UsageError
from waitforweave.gate.values import Given


def given(*words: str) -> Given:
    return Given("--it", words)


@pytest.mark.parametrize(
    ("word", "text", "prefixlen"),
    [
        ("10.2.1.5/24", "10.2.1.5/24", 24),
        ("ip:10.2.1.5/24", "10.2.1.5/24", 24),
        ("10.2.1.5", "10.2.1.5", 0),
        ("ip:10.2.1.5", "10.2.1.5", 0),
        ("2001:DB8::5", "2001:db8::5", 0),
        ("2001:db8::5/64", "2001:db8::5/64", 64),
        ("net:10.2.2.0/24", "net:10.2.2.0/24", 24),
        ("fe80::1", "fe80::1", 0),
    ],
)
def test_addresses(word: str, text: str, prefixlen: int) -> None:
    (found,) = values.addresses(given(word))
    assert (found.text, found.prefixlen) == (text, prefixlen)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("10.2.1.300", '"10.2.1.300" is not an IP address'),
        ("10.2.1.300/24", '"10.2.1.300/24" is not an IP address'),
        ("10.2.1.0/24", '"10.2.1.0/24" is a network, not an address'),
        ("10.2.1.5/33", '"10.2.1.5/33" has a prefix length that is not 1 to 32'),
        ("net:10.2.2.1/24", '"net:10.2.2.1/24" has bits set'),
        ("net:default", '"net:default" is not an IP address'),
        ("none", '"none" is not an IP address'),
        ("127.0.0.1", '"127.0.0.1" is not an address that an interface can have'),
        ("ff02::1", '"ff02::1" is not an address that an interface can have'),
        ("::", '"::" is not an address that an interface can have'),
        ("$(id)", '"$(id)" is not an IP address'),
        ("10.2.1.5\n", '"10.2.1.5\\n" has a character that is not allowed'),
        ("", '"" names no address'),
    ],
)
def test_wrong_addresses(word: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        values.addresses(given(word))
    assert str(caught.value).startswith(f"--it: {reason}")
    assert "; allowed: " in str(caught.value)


@pytest.mark.parametrize(
    ("word", "family", "text", "prefixlen"),
    [
        ("default", 0, "default", 0),
        ("0.0.0.0/0", 2, "0.0.0.0/0", 0),
        ("::/0", 10, "::/0", 0),
        ("224.0.0.0/4", 2, "224.0.0.0/4", 4),
        ("10.9.9.9", 2, "10.9.9.9", 32),
        ("2001:DB8::/32", 10, "2001:db8::/32", 32),
        ("fd00::1", 10, "fd00::1", 128),
    ],
)
def test_destinations(word: str, family: int, text: str, prefixlen: int) -> None:
    (found,) = values.destinations(given(word), 0)
    assert (found.family, found.text, found.prefixlen) == (family, text, prefixlen)


def test_default_is_of_the_family_that_was_asked_for() -> None:
    (found,) = values.destinations(given("default"), 10)
    assert (found.family, found.packed) == (10, bytes(16))
    (found,) = values.destinations(given("0.0.0.0/0"), 10)
    assert found.family == 2


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("10.9.9.9/8", '"10.9.9.9/8" has bits set beyond its prefix length of 8'),
        ("10.0.0.0/0", '"10.0.0.0/0" has a prefix length that is not 1 to 32'),
        ("eth0", '"eth0" is not an IP address'),
        ("", '"" names no destination'),
    ],
)
def test_wrong_destinations(word: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        values.destinations(given(word), 0)
    assert str(caught.value).startswith(f"--it: {reason}")


@pytest.mark.parametrize("name", ["ethwe", "tun0", "eth*", "e", "a" * 15, "br-[0-9a-f]*", "eth0.7"])
def test_interfaces(name: str) -> None:
    assert values.interfaces(given(name)) == [name]


@pytest.mark.parametrize("name", ["", " ", "a" * 16, "a/b", "..", ".", "eth0:1", "\u00e9", "a\tb"])
def test_names_that_no_interface_can_have(name: str) -> None:
    with pytest.raises(UsageError, match="--it: "):
        values.interfaces(given(name))


@pytest.mark.parametrize("value", ["0", "-1", "two", "", "1.5", "\u0665", "9" * 10])
def test_wrong_counts(value: str) -> None:
    with pytest.raises(UsageError, match=r"is no number of interfaces; allowed: 1, 2"):
        values.count(given(value))
