"""The values of options, from text to what they mean; each wrong one is named. Pure."""

from __future__ import annotations

from _socket import AF_INET, AF_INET6, inet_ntop

from waitforweave.gate import weave_cidr
from waitforweave.gate.asked import Destination, is_glob
from waitforweave.gate.options import UsageError
from waitforweave.gate.uapi import IFNAMSIZ
from waitforweave.gate.weave_cidr import ADDRESS, Wanted, WeaveCidrError, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_DIGITS = 9
ADDRESSES_ALLOWED = "10.2.1.5/24, 10.2.1.5 (of any prefix length), net:10.2.2.0/24; IPv6 too"
ROUTES_ALLOWED = "default, 224.0.0.0/4, 10.9.9.9 (a host's); IPv6 too"
DEFAULT_ROUTES = {"default": 0, "0.0.0.0/0": AF_INET, "::/0": AF_INET6}


class Given:
    """What was said of one option: `label` is who said it ("--timeout", or its variable)."""

    __slots__ = ("label", "values")

    def __init__(self, label: str, values: Sequence[str]) -> None:
        self.label = label
        self.values = values

    @property
    def value(self) -> str:
        """The last one counts, as with most commands."""
        return self.values[-1]

    def wrong(self, value: str, reason: str, allowed: str) -> UsageError:
        return UsageError(f'{self.label}: "{quote(value)}" {reason}; allowed: {allowed}')

    def words(self) -> list[str]:
        """All values, split at commas and blanks. Raises UsageError."""
        words = [word for value in self.values for word in value.replace(",", " ").split(" ")]
        for word in words:
            if not (word.isascii() and word.isprintable()):
                raise self.wrong(word, "has a character that is not allowed", "printable ASCII")
        return [word for word in words if word]


def choice(given: Given, allowed: Sequence[str]) -> str:
    """One of a few words. Raises UsageError."""
    if given.value not in allowed:
        raise given.wrong(given.value, "is wrong", ", ".join(allowed))
    return given.value


def count(given: Given) -> int:
    """A number of interfaces. Raises UsageError."""
    value = given.value
    if not (value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS and int(value)):
        raise given.wrong(value, "is no number of interfaces", "1, 2, ...")
    return int(value)


def seconds(given: Given) -> float | None:
    """How long to wait at most; None for ever. Raises UsageError."""
    value = given.value
    whole, dot, fraction = value.partition(".")
    digits = whole + fraction
    # Not float() alone: it takes "nan", "1e9" and "1_0" too.
    plain = value.isascii() and digits.isdigit() and whole and bool(dot) == bool(fraction)
    if not plain or len(digits) > MAX_DIGITS:
        allowed = f"30 or 0.5, at most {MAX_DIGITS} digits, and 0 to wait for ever"
        raise given.wrong(value, "is no number of seconds", allowed)
    return float(value) or None


def interfaces(given: Given) -> list[str]:
    """Names as the kernel lets them be (net/core/dev.c, dev_valid_name), or globs. UsageError."""
    names = given.words()
    for name in names or [""]:
        too_long = len(name) >= IFNAMSIZ and not is_glob(name)
        if not name or too_long or name in (".", "..") or "/" in name or ":" in name:
            allowed = f"names of 1 to {IFNAMSIZ - 1} characters without / and :, and shell globs"
            raise given.wrong(name, "is a name that no interface can have", allowed)
    return list(dict.fromkeys(names))


def addresses(given: Given) -> list[Wanted]:
    """Addresses and subnets that interfaces can have. Raises UsageError."""
    words = given.words()
    if not words:
        raise given.wrong("", "names no address", ADDRESSES_ALLOWED)
    return list(dict.fromkeys(address(given, word) for word in words))


def address(given: Given, word: str) -> Wanted:
    """As WEAVE_CIDR has it, or without prefix length, which then may be any (0)."""
    try:
        if word.startswith("net:"):
            return weave_cidr.subnet(word, word[4:])
        host = word.removeprefix("ip:")
        if "/" in host:
            return weave_cidr.address(word, host)
        family, packed = bare(word, host)
    except WeaveCidrError as error:
        raise given.wrong(word, error.reason, ADDRESSES_ALLOWED) from None
    if not weave_cidr.is_unicast(family, packed):
        raise given.wrong(word, "is not an address that an interface can have", ADDRESSES_ALLOWED)
    return Wanted(ADDRESS, family, packed, 0, inet_ntop(family, packed))


def bare(word: str, host: str) -> tuple[int, bytes]:
    """Family and address of "10.2.1.5". Raises WeaveCidrError."""
    family, packed, _ = weave_cidr.parse_cidr(word, f"{host}/{32}")
    return family, packed


def destinations(given: Given, family: int) -> list[Destination]:
    """Where routes lead; "default" is of `family`, 0: of either. Raises UsageError."""
    words = given.words()
    if not words:
        raise given.wrong("", "names no destination", ROUTES_ALLOWED)
    return [destination(given, word, family) for word in dict.fromkeys(words)]


def destination(given: Given, word: str, family: int) -> Destination:
    """A network, a host, or "default". Raises UsageError."""
    if word in DEFAULT_ROUTES:
        family = DEFAULT_ROUTES[word] or family
        return Destination(family, bytes(weave_cidr.BITS.get(family, 0) // 8), 0, word)
    try:
        if "/" not in word:
            family, packed = bare(word, word)
            return Destination(family, packed, weave_cidr.BITS[family], inet_ntop(family, packed))
        family, packed, prefixlen = weave_cidr.parse_cidr(word, word)
    except WeaveCidrError as error:
        raise given.wrong(word, error.reason, ROUTES_ALLOWED) from None
    if weave_cidr.host_part(packed, prefixlen)[0]:
        reason = f"has bits set beyond its prefix length of {prefixlen}"
        raise given.wrong(word, reason, ROUTES_ALLOWED)
    return Destination(family, packed, prefixlen, f"{inet_ntop(family, packed)}/{prefixlen}")
