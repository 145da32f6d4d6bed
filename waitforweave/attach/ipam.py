"""Which address is whose: a table in SQLite, shared by all threads and processes of a host.

A claim outlives the container's process, so that a restart gets the same address again. It ends
with `release`, or when somebody asks for that very address while its holder does not run.
"""

from __future__ import annotations

import ipaddress
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from waitforweave.attach.backend import AttachError
from waitforweave.gate.weave_cidr import ADDRESS, DEFAULT, Wanted

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Alive = Callable[[str], bool]

LOCK_SECONDS = 10.0
# Addresses as 4 or 16 bytes in network order: they compare as they count.
SCHEMA = """
CREATE TABLE IF NOT EXISTS claims (
    address BLOB PRIMARY KEY, prefixlen INTEGER NOT NULL,
    container TEXT NOT NULL, word TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claims_of ON claims (container, word);
CREATE TABLE IF NOT EXISTS cursors (subnet TEXT PRIMARY KEY, last BLOB NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Claim:
    """What a container got for one word of its WEAVE_CIDR; `new` if this call gave it."""

    cidr: str
    word: str
    new: bool


class Ipam:
    """`state` is the folder of ipam.db; `subnet` is where words without a subnet are served."""

    def __init__(self, state: Path, subnet: str) -> None:
        self.state = state
        self.subnet = subnet
        # One connection, kept open: opening one costs more than a claim, and SQLite lets only
        # one writer in anyway. The lock is for our threads, SQLite's own for other processes.
        self._db: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def claim(self, container: str, wanted: Sequence[Wanted], alive: Alive) -> list[Claim]:
        """An address for each word, all of them or none. AttachError.

        `alive(id)` says whether a holder still runs.
        """
        with self.transaction() as db:
            return [self.claim_word(db, container, word, alive) for word in wanted]

    def claim_word(
        self, db: sqlite3.Connection, container: str, word: Wanted, alive: Alive
    ) -> Claim:
        if word.kind == ADDRESS:
            address = ipaddress.ip_address(word.packed)
            new = take(db, container, word.text, (address, word.prefixlen), alive)
            return Claim(word.text, word.text, new)
        network = self.network_of(word)
        row = db.execute(
            "SELECT address, prefixlen FROM claims WHERE container = ? AND word = ?",
            (container, word.text),
        ).fetchone()
        if row is not None:
            return Claim(cidr(ipaddress.ip_address(row[0]), row[1]), word.text, False)
        address = free_address(db, network, alive)
        take(db, container, word.text, (address, network.prefixlen), alive)
        return Claim(cidr(address, network.prefixlen), word.text, True)

    def network_of(self, word: Wanted) -> Network:
        if word.kind == DEFAULT:
            return ipaddress.ip_network(self.subnet)
        return ipaddress.ip_network((word.packed, word.prefixlen))

    def undo(self, container: str, claims: Sequence[Claim]) -> None:
        """Give back what `claim` has just given; what the container had before it keeps."""
        with self.transaction() as db:
            db.executemany(
                "DELETE FROM claims WHERE container = ? AND word = ?",
                [(container, claim.word) for claim in claims if claim.new],
            )

    def confirm(self, container: str, claims: Sequence[Claim]) -> None:
        """AttachError if another container took one of these meanwhile: until its link is there
        a holder does not count as alive."""
        with self.transaction() as db:
            for claim in claims:
                packed = ipaddress.ip_interface(claim.cidr).packed
                row = db.execute(
                    "SELECT container FROM claims WHERE address = ?", (packed,)
                ).fetchone()
                if row is None or row[0] != container:
                    raise AttachError(f"address {claim.cidr} was taken meanwhile")

    def release(self, container: str) -> tuple[str, ...]:
        """All that this container holds is free again; what it was."""
        with self.transaction() as db:
            rows = db.execute(
                "DELETE FROM claims WHERE container = ? RETURNING address, prefixlen", (container,)
            ).fetchall()
        return tuple(cidr(ipaddress.ip_address(packed), length) for packed, length in rows)

    def clear(self) -> None:
        """Forget everything: the file goes."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None
            for name in ("ipam.db", "ipam.db-wal", "ipam.db-shm"):
                (self.state / name).unlink(missing_ok=True)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection, while nobody else writes; AttachError where nothing can be written."""
        with self._lock:
            try:
                db = self._db or self.open()
                db.execute("BEGIN IMMEDIATE")
                try:
                    yield db
                except BaseException:
                    db.execute("ROLLBACK")
                    raise
                db.execute("COMMIT")
            except (sqlite3.Error, OSError) as error:
                message = f"the addresses in {self.state} cannot be kept: {error}"
                raise AttachError(message) from error

    def open(self) -> sqlite3.Connection:
        self.state.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(
            self.state / "ipam.db",
            timeout=LOCK_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        # A claim that is lost with the power is that of a container which lost its process too:
        # not worth an fsync in each container's start.
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + SCHEMA)
        return self._db


def take(
    db: sqlite3.Connection,
    container: str,
    word: str,
    address: tuple[Address, int],
    alive: Alive,
) -> bool:
    """Claim this very address; whether that is new. AttachError names a holder that runs."""
    packed, prefixlen = address[0].packed, address[1]
    row = db.execute("SELECT container FROM claims WHERE address = ?", (packed,)).fetchone()
    holder = row[0] if row else None
    if holder not in (None, container) and alive(holder):
        # Weave's own words.
        raise AttachError(
            f"Unable to claim: address {cidr(*address)} already in use by {holder[:12]}"
        )
    db.execute(
        "INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?)", (packed, prefixlen, container, word)
    )
    return bool(holder != container)


def free_address(db: sqlite3.Connection, network: Network, alive: Alive) -> Address:
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
        found = of_the_dead(db, network, alive)
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


def of_the_dead(db: sqlite3.Connection, network: Network, alive: Alive) -> int:
    first, last = (value.to_bytes(network.max_prefixlen // 8) for value in usable(network))
    for packed, holder in db.execute(
        "SELECT address, container FROM claims WHERE address BETWEEN ? AND ? ORDER BY address",
        (first, last),
    ):
        if len(packed) == len(first) and not alive(holder):
            return int.from_bytes(packed)
    raise AttachError(f"no address is free in {network}: all {network.num_addresses} are in use")


def cidr(address: Address, prefixlen: int) -> str:
    return f"{address}/{prefixlen}"
