"""What the gate waits for: a value that options make and conditions judge by. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final, Literal

    from waitforweave.gate.routes import Route
    from waitforweave.gate.weave_cidr import Wanted

    Quantity = Literal["each", "any", "all", "count"]
    LinkState = Literal["present", "up", "carrier", "address"]
    Scope = Literal["global", "any"]

# Which of the interfaces that were named: one for each name, one of all, every one that a name
# matches (a shell glob matches several), or a number of them.
EACH: Final = "each"
ANY: Final = "any"
ALL: Final = "all"
COUNT: Final = "count"

# What an interface must have; each includes those before it.
PRESENT: Final = "present"
UP: Final = "up"
CARRIER: Final = "carrier"
ADDRESS: Final = "address"
STATES: Final = (PRESENT, UP, CARRIER, ADDRESS)

GLOBAL_SCOPE: Final = "global"
ANY_SCOPE: Final = "any"

GLOB_CHARS = frozenset("*?[")


class Destination:
    """Where a route leads: a network as `ip route` names it; `family` 0 is "default" of either."""

    __slots__ = ("family", "packed", "prefixlen", "text")

    def __init__(self, family: int, packed: bytes, prefixlen: int, text: str) -> None:
        self.family = family
        self.packed = packed
        self.prefixlen = prefixlen
        self.text = text

    def is_reached_by(self, route: Route) -> bool:
        """By a route to this very network: one to a wider network that holds it is another."""
        if not self.family:
            return route.prefixlen == 0
        where = route.family, route.packed, route.prefixlen
        return where == (self.family, self.packed, self.prefixlen)


class Asked:
    """`interfaces` are names or shell globs. `addresses` are named ones (of kind ADDRESS, where
    prefix length 0 is any, or SUBNET), each to be on one of the interfaces; `routes` each lead out
    of one of them. `family` (0: either) and `scope` say which address an interface must have where
    `state` is ADDRESS.
    """

    __slots__ = (
        "addresses",
        "count",
        "family",
        "interfaces",
        "quantity",
        "routes",
        "scope",
        "state",
    )

    def __init__(  # noqa: PLR0913 - one field an option, all of them independent
        self,
        interfaces: Sequence[str],
        *,
        quantity: Quantity = EACH,
        count: int = 1,
        state: LinkState = ADDRESS,
        addresses: Sequence[Wanted] = (),
        routes: Sequence[Destination] = (),
        family: int = 0,
        scope: Scope = GLOBAL_SCOPE,
    ) -> None:
        self.interfaces = interfaces
        self.quantity: Quantity = quantity
        self.count = count
        self.state: LinkState = state
        self.addresses = addresses
        self.routes = routes
        self.family = family
        self.scope: Scope = scope


def is_glob(name: str) -> bool:
    return not GLOB_CHARS.isdisjoint(name)


def selects(pattern: str, name: str) -> bool:
    """Is `name` the interface, or one of the interfaces, that `pattern` names?"""
    if pattern == name or not is_glob(pattern):
        return pattern == name
    from waitforweave.gate import globs

    return globs.matches(pattern, name)
