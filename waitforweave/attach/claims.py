"""The table of claims: who holds an address, and which one is free. Inside a transaction."""

from __future__ import annotations

import ipaddress
import sqlite3
from collections.abc import Callable, Iterator
from typing import NamedTuple

from waitforweave.attach.backend import AttachError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class TakenError(AttachError):
    """Somebody else was faster; who asks again sees it."""


class Links(NamedTuple):
    """What the kernel says of links, to whoever asks for an address: whether the container of this
    id runs and has its own; and who has the one with this address, whosever books that is in, None
    for nobody."""

    alive: Callable[[str], bool]
    linked: Callable[[Address], str | None]


# Addresses as 4 or 16 bytes in network order: they compare as they count.
SCHEMA = """
CREATE TABLE IF NOT EXISTS claims (
    address BLOB PRIMARY KEY, prefixlen INTEGER NOT NULL,
    container TEXT NOT NULL, word TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claims_of ON claims (container, word);
CREATE TABLE IF NOT EXISTS cursors (subnet TEXT PRIMARY KEY, last BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS owner (id TEXT NOT NULL);
INSERT INTO owner SELECT lower(hex(randomblob(8))) WHERE NOT EXISTS (SELECT 1 FROM owner);
"""


def take(
    db: sqlite3.Connection,
    container: str,
    word: str,
    address: tuple[Address, int],
    links: Links,
) -> bool:
    """Claim this very address; whether that is new. AttachError names a holder that runs."""
    holder = holder_of(db, address[0].packed)
    runs = holder is not None and holder != container and links.alive(holder)
    in_use_by = holder if runs else links.linked(address[0])
    if in_use_by is not None and in_use_by != container:
        # Weave's own words.
        raise AttachError(
            f"Unable to claim: address {cidr(*address)} already in use by {in_use_by[:12]}"
        )
    note(db, container, word, address)
    return holder != container


def note(db: sqlite3.Connection, container: str, word: str, address: tuple[Address, int]) -> None:
    """This address is the container's from here on. Where other books' owner was faster since it
    was found free, the kernel says so when it is put on the link (names.reserve)."""
    row = (address[0].packed, address[1], container, word)
    db.execute("INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?)", row)


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


def free_address(db: sqlite3.Connection, container: str, network: Network, links: Links) -> Address:
    """The next address after the one given last: a released one rests before it is used again.

    Where all are claimed, the next one whose holder does not run: not the first, since one that is
    being attached does not run yet, either. AttachError where all run.
    """
    first, last = usable(network)
    start = max(first, last_given(db, network, first - 1) + 1)
    found = next(gaps_from(db, network, start), None)
    if found is not None and links.linked(found) is not None:
        # Other books give from here, and may keep the next ones for who does not run now: on at a
        # place of our own.
        start = first + int(owner_of(db), 16) % (last - first + 1)
        free = (each for each in gaps_from(db, network, start) if links.linked(each) is None)
        found = next(free, None)
    if found is None:
        found = of_the_dead(db, container, network, links, start)
    db.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", (str(network), found.packed))
    return found


def owner_of(db: sqlite3.Connection) -> str:
    """What tells these books from all others: 16 random hex digits."""
    return str(db.execute("SELECT id FROM owner").fetchone()[0])


def usable(network: Network) -> tuple[int, int]:
    """The first and last address for a container: not the network's own, nor the broadcast."""
    low, high = int(network.network_address), int(network.broadcast_address)
    if network.num_addresses <= 2:  # /31 and /32 have no such two (RFC 3021).
        return low, high
    return low + 1, high - 1


def last_given(db: sqlite3.Connection, network: Network, default: int) -> int:
    row = db.execute("SELECT last FROM cursors WHERE subnet = ?", (str(network),)).fetchone()
    return int.from_bytes(row[0]) if row else default


def gaps_from(db: sqlite3.Connection, network: Network, start: int) -> Iterator[Address]:
    """All that nobody claims, `start` and what comes after it first; reads as far as one asks."""
    for low, high in both_parts(network, start):
        for gap in gaps(db, network, low, high):
            yield ipaddress.ip_address(gap.to_bytes(network.max_prefixlen // 8))


def both_parts(network: Network, start: int) -> Iterator[tuple[int, int]]:
    """From `start` to the last address, then from the first one to where that began."""
    first, last = usable(network)
    if start <= last:
        yield start, last
    if start > first:
        yield first, start - 1


def gaps(db: sqlite3.Connection, network: Network, low: int, high: int) -> Iterator[int]:
    """Those from `low` to `high` that nobody claims."""
    candidate = low
    for claim, _ in claimed(db, network, low, high):
        yield from range(candidate, claim)
        candidate = claim + 1
    yield from range(candidate, high + 1)


def claimed(
    db: sqlite3.Connection, network: Network, low: int, high: int
) -> Iterator[tuple[int, str]]:
    """Those from `low` to `high` that somebody claims, and who."""
    size = network.max_prefixlen // 8
    # The other family's bytes may compare as lying in between.
    rows = db.execute(
        "SELECT address, container FROM claims "
        "WHERE address BETWEEN ? AND ? AND length(address) = ? ORDER BY address",
        (low.to_bytes(size), high.to_bytes(size), size),
    )
    for packed, container in rows:
        yield int.from_bytes(packed), container


def of_the_dead(
    db: sqlite3.Connection, container: str, network: Network, links: Links, start: int
) -> Address:
    """The next address from `start` on whose holder does not run; not what `container` itself
    holds, which may not run yet."""
    for low, high in both_parts(network, start):
        for claim, holder in claimed(db, network, low, high):
            if holder == container or links.alive(holder):
                continue
            address = ipaddress.ip_address(claim.to_bytes(network.max_prefixlen // 8))
            if links.linked(address) is None:
                return address
    raise AttachError(f"no address is free in {network}: all {network.num_addresses} are in use")


def cidr(address: Address, prefixlen: int) -> str:
    return f"{address}/{prefixlen}"
