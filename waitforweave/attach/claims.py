"""The table of claims: who holds an address, and which one is free. Inside a transaction."""

from __future__ import annotations

import ipaddress
import sqlite3
from collections.abc import Callable

from waitforweave.attach.backend import AttachError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Whether the container of this id runs and has its link.
Alive = Callable[[str], bool]

# Addresses as 4 or 16 bytes in network order: they compare as they count.
SCHEMA = """
CREATE TABLE IF NOT EXISTS claims (
    address BLOB PRIMARY KEY, prefixlen INTEGER NOT NULL,
    container TEXT NOT NULL, word TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claims_of ON claims (container, word);
CREATE TABLE IF NOT EXISTS cursors (subnet TEXT PRIMARY KEY, last BLOB NOT NULL) WITHOUT ROWID;
"""


def take(
    db: sqlite3.Connection,
    container: str,
    word: str,
    address: tuple[Address, int],
    alive: Alive,
) -> bool:
    """Claim this very address; whether that is new. AttachError names a holder that runs."""
    packed, prefixlen = address[0].packed, address[1]
    holder = holder_of(db, packed)
    if holder is not None and holder != container and alive(holder):
        # Weave's own words.
        raise AttachError(
            f"Unable to claim: address {cidr(*address)} already in use by {holder[:12]}"
        )
    db.execute(
        "INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?)", (packed, prefixlen, container, word)
    )
    return holder != container


def held_by(db: sqlite3.Connection, container: str) -> list[tuple[str, str]]:
    """All that this container claims: "10.2.1.5/24", and the word that it is for."""
    rows = db.execute(
        "SELECT address, prefixlen, word FROM claims WHERE container = ? ORDER BY word",
        (container,),
    )
    return [(cidr(ipaddress.ip_address(packed), length), word) for packed, length, word in rows]


def holders(db: sqlite3.Connection) -> dict[str, tuple[str, ...]]:
    """All containers that claim something, each with its addresses."""
    found: dict[str, tuple[str, ...]] = {}
    for packed, length, container in db.execute(
        "SELECT address, prefixlen, container FROM claims ORDER BY container, word"
    ):
        address = cidr(ipaddress.ip_address(packed), length)
        found[container] = (*found.get(container, ()), address)
    return found


def holder_of(db: sqlite3.Connection, packed: bytes) -> str | None:
    """The id of the container that claims this address, or None."""
    row = db.execute("SELECT container FROM claims WHERE address = ?", (packed,)).fetchone()
    return None if row is None else str(row[0])


def free_address(db: sqlite3.Connection, container: str, network: Network, alive: Alive) -> Address:
    """The next address after the one given last: a released one rests before it is used again.

    Where all are claimed, the first one whose holder does not run. AttachError where all run.
    """
    first, last = usable(network)
    start = max(first, last_given(db, network, first - 1) + 1)
    for low, high in ((start, last), (first, start - 1)):
        found = first_gap(db, network, low, high)
        if found is not None:
            break
    else:
        found = of_the_dead(db, container, network, alive)
    packed = found.to_bytes(network.max_prefixlen // 8)
    db.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", (str(network), packed))
    return ipaddress.ip_address(packed)


def usable(network: Network) -> tuple[int, int]:
    """The first and last address for a container: not the network's own, nor the broadcast."""
    low, high = int(network.network_address), int(network.broadcast_address)
    if network.num_addresses <= 2:  # /31 and /32 have no such two (RFC 3021).
        return low, high
    return low + 1, high - 1


def last_given(db: sqlite3.Connection, network: Network, default: int) -> int:
    row = db.execute("SELECT last FROM cursors WHERE subnet = ?", (str(network),)).fetchone()
    return int.from_bytes(row[0]) if row else default


def first_gap(db: sqlite3.Connection, network: Network, low: int, high: int) -> int | None:
    """The lowest address from `low` to `high` that nobody claims; reads on until there is one."""
    size = network.max_prefixlen // 8
    candidate = low
    # The other family's bytes may compare as lying in between.
    claimed = db.execute(
        "SELECT address FROM claims WHERE address BETWEEN ? AND ? AND length(address) = ? "
        "ORDER BY address",
        (low.to_bytes(size), max(low, high).to_bytes(size), size),
    )
    for (packed,) in claimed:
        if int.from_bytes(packed) != candidate:
            break
        candidate += 1
    return candidate if candidate <= high else None


def of_the_dead(db: sqlite3.Connection, container: str, network: Network, alive: Alive) -> int:
    """The first address whose holder does not run; not what `container` itself holds, which may
    not run yet."""
    first, last = (value.to_bytes(network.max_prefixlen // 8) for value in usable(network))
    for packed, holder in db.execute(
        "SELECT address, container FROM claims WHERE address BETWEEN ? AND ? ORDER BY address",
        (first, last),
    ):
        if len(packed) == len(first) and holder != container and not alive(holder):
            return int.from_bytes(packed)
    raise AttachError(f"no address is free in {network}: all {network.num_addresses} are in use")


def cidr(address: Address, prefixlen: int) -> str:
    return f"{address}/{prefixlen}"
