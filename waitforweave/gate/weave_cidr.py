"""The grammar of WEAVE_CIDR: which addresses a container is promised. Pure.

Words are separated by commas or spaces (powerstrip-weave took commas, Weave takes spaces):
`10.2.1.5/24` and `ip:10.2.1.5/24` name one address, `net:10.2.2.0/24` an address of that subnet,
`net:default` or an empty value an address of the default subnet, `none` alone nothing. IPv6 too.
"""

from __future__ import annotations

from _socket import AF_INET, AF_INET6, inet_ntop, inet_pton

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Literal

    Kind = Literal["address", "subnet", "default"]

ADDRESS: Final = "address"
SUBNET: Final = "subnet"
DEFAULT: Final = "default"

ALLOWED = "10.2.1.5/24, ip:10.2.1.5/24, net:10.2.2.0/24, net:default, or none alone"
# A value may be as long as the kernel lets one environment entry be (128 KiB); an error may not.
QUOTED_CHARS = 60
BITS = {AF_INET: 32, AF_INET6: 128}


class WeaveCidrError(ValueError):
    """A word that the grammar does not have: `word` as it stands there, and `reason`, why not."""

    def __init__(self, word: str, reason: str) -> None:
        super().__init__(f'WEAVE_CIDR: "{quote(word)}" {reason}; allowed: {ALLOWED}')
        self.word = word
        self.reason = reason


class Wanted:
    """One word of WEAVE_CIDR, checked.

    `kind` is ADDRESS, SUBNET or DEFAULT; `family` AF_INET or AF_INET6 (0 for DEFAULT); `packed`
    the address or the network in network byte order, 4 or 16 bytes (none for DEFAULT); `text`
    the canonical word: "10.2.1.5/24", "net:10.2.2.0/24" or "net:default".
    """

    __slots__ = ("family", "kind", "packed", "prefixlen", "text")

    def __init__(self, kind: Kind, family: int, packed: bytes, prefixlen: int, text: str) -> None:
        self.kind: Kind = kind
        self.family = family
        self.packed = packed
        self.prefixlen = prefixlen
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Wanted) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Wanted({self.text!r})"


ANY_DEFAULT = Wanted(DEFAULT, 0, b"", 0, "net:default")


def parse(value: str) -> tuple[Wanted, ...]:
    """What `value` promises, in its order, each once; () for "none": nothing is promised.

    Raises WeaveCidrError, which names the word that is wrong, before anybody acts on any word.
    """
    words = split(value)
    if words == ["none"]:
        return ()
    # dict.fromkeys: each once, in order; the same address twice is still one address.
    return tuple(dict.fromkeys(parse_word(word) for word in words)) or (ANY_DEFAULT,)


def split(value: str) -> list[str]:
    """The words; a comma with nothing beside it is an error, since a promise went missing there."""
    if not value.strip(" "):
        return []
    words: list[str] = []
    for part in value.split(","):
        found = part.split(" ")
        if not any(found):
            raise WeaveCidrError(value, "has a comma with no word beside it")
        words += filter(None, found)
    return words


def parse_word(word: str) -> Wanted:
    """One word that is not "none" by itself. Raises WeaveCidrError."""
    if not (word.isascii() and word.isprintable()):
        raise WeaveCidrError(word, "has a character that is not printable ASCII")
    if word == "none":
        raise WeaveCidrError(word, "cannot stand beside other words")
    if word == ANY_DEFAULT.text:
        return ANY_DEFAULT
    if word.startswith("net:"):
        return subnet(word, word[4:])
    return address(word, word.removeprefix("ip:"))


def address(word: str, cidr: str) -> Wanted:
    """An address that a host can have, with its prefix length. Raises WeaveCidrError."""
    family, packed, prefixlen = parse_cidr(word, cidr)
    text = f"{inet_ntop(family, packed)}/{prefixlen}"
    if not is_unicast(family, packed):
        raise WeaveCidrError(word, "is not an address that an interface can have")
    host, ones = host_part(packed, prefixlen)
    # RFC 3021: the two addresses of a /31 (and RFC 6164: of a /127) are both hosts.
    if ones > 1 and host == 0:
        raise WeaveCidrError(word, f'is a network, not an address (did you mean "net:{text}"?)')
    if ones > 1 and host == ones and family == AF_INET:
        raise WeaveCidrError(word, "is the broadcast address of its network")
    return Wanted(ADDRESS, family, packed, prefixlen, text)


def subnet(word: str, cidr: str) -> Wanted:
    """A network; bits beyond the prefix length are an error. Raises WeaveCidrError."""
    family, packed, prefixlen = parse_cidr(word, cidr)
    if host_part(packed, prefixlen)[0]:
        raise WeaveCidrError(word, f"has bits set beyond its prefix length of {prefixlen}")
    if not is_unicast(family, packed):
        raise WeaveCidrError(word, "is not a network that interfaces can have addresses of")
    text = f"net:{inet_ntop(family, packed)}/{prefixlen}"
    return Wanted(SUBNET, family, packed, prefixlen, text)


def parse_cidr(word: str, cidr: str) -> tuple[int, bytes, int]:
    """Family, packed address and prefix length of "10.2.1.5/24". Raises WeaveCidrError."""
    host, slash, length = cidr.partition("/")
    family = AF_INET6 if ":" in host else AF_INET
    try:
        packed = inet_pton(family, host)
    except OSError:
        raise WeaveCidrError(word, "is not an IP address with its prefix length") from None
    if not slash:
        raise WeaveCidrError(word, "has no prefix length")
    # Not int() alone: it takes "+24", "2_4" and "024" too. /0 would take every route.
    bits = BITS[family]
    if not length.isdecimal() or length[0] == "0" or len(length) > 3 or int(length) > bits:
        raise WeaveCidrError(word, f"has a prefix length that is not 1 to {bits}")
    return family, packed, int(length)


def host_part(packed: bytes, prefixlen: int) -> tuple[int, int]:
    """The bits beyond the prefix, and what they are when all are ones."""
    ones = (1 << (len(packed) * 8 - prefixlen)) - 1
    return int.from_bytes(packed, "big") & ones, ones


def is_unicast(family: int, packed: bytes) -> bool:
    """Not unspecified, loopback, multicast or reserved (RFC 6890), nor IPv4 in IPv6's clothes
    (RFC 4291, 2.5.5), which no interface has."""
    if family == AF_INET:
        return packed[0] not in (0, 127) and packed[0] < 224  # from 224.0.0.0 on
    return packed[0] != 0xFF and int.from_bytes(packed, "big") >> 32 not in (0, 0xFFFF)


def quote(word: str, chars: int = QUOTED_CHARS) -> str:
    """`word` fit for one line of a log: ASCII, nothing unprintable, of bounded length."""
    if len(word) > chars:
        return ascii(word[:chars])[1:-1] + "..."
    return ascii(word)[1:-1]
