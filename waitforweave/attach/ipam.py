"""Which address is whose: a table in SQLite, shared by all threads and processes of a host.

A claim outlives the container's process, so that a restart gets the same address again. It ends
with `release`, or when somebody asks for that very address while its holder does not run.
"""

from __future__ import annotations

import ipaddress
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from waitforweave.attach.backend import AttachError
from waitforweave.attach.claims import (
    SCHEMA,
    Links,
    Network,
    TakenError,
    cidr,
    free_address,
    held_by,
    holder_of,
    holders,
    note,
    owner_of,
    take,
)
from waitforweave.gate.weave_cidr import ADDRESS, DEFAULT, Wanted

DB_NAME = "ipam.db"
LOCK_SECONDS = 10.0


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
        self._file: tuple[int, int] | None = None
        self._lock = threading.Lock()

    def owner(self) -> str:
        """What tells these books from all others, on the links that are made for them; "" where
        there are none."""
        if not self.exists():
            return ""
        # Each attach asks, and this never changes: it waits for no writer.
        with self.opened() as db:
            return owner_of(db)

    def claim(self, container: str, wanted: Sequence[Wanted], links: Links) -> list[Claim]:
        """An address for each word, in order, all of them or none. AttachError.

        One that is named and whose holder does not run is the container's from here on.
        """
        # Addresses that are named before those that are not, which could take one of them.
        by_need = sorted(wanted, key=lambda word: word.kind != ADDRESS)
        with self.transaction() as db:
            claims = {word: self.claim_word(db, container, word, links) for word in by_need}
        return [claims[word] for word in wanted]

    def claim_word(
        self, db: sqlite3.Connection, container: str, word: Wanted, links: Links
    ) -> Claim:
        if word.kind == ADDRESS:
            address = ipaddress.ip_address(word.packed)
            new = take(db, container, word.text, (address, word.prefixlen), links)
            return Claim(word.text, word.text, new)
        network = self.network_of(word)
        row = db.execute(
            "SELECT address FROM claims WHERE container = ? AND word = ?", (container, word.text)
        ).fetchone()
        if row is not None:
            kept = ipaddress.ip_address(row[0])
            # Not where the operator has named another default subnet since, nor where it was given
            # by other books while this container did not run.
            if kept in network and links.linked(kept) in (None, container):
                return Claim(cidr(kept, network.prefixlen), word.text, False)
        db.execute("DELETE FROM claims WHERE container = ? AND word = ?", (container, word.text))
        address = free_address(db, container, network, links)
        note(db, container, word.text, (address, network.prefixlen))
        return Claim(cidr(address, network.prefixlen), word.text, True)

    def network_of(self, word: Wanted) -> Network:
        if word.kind == DEFAULT:
            return ipaddress.ip_network(self.subnet)
        return ipaddress.ip_network((word.packed, word.prefixlen))

    def undo(self, container: str, claims: Sequence[Claim]) -> None:
        """Give back what `claim` has just given; what the container had before it keeps."""
        self.give_back(container, [claim for claim in claims if claim.new])

    def give_back(self, container: str, claims: Sequence[Claim]) -> None:
        """These are free again."""
        with self.transaction() as db:
            db.executemany(
                "DELETE FROM claims WHERE container = ? AND word = ?",
                [(container, claim.word) for claim in claims],
            )

    def held(self, container: str) -> list[Claim]:
        """What this container has, whether it runs or not."""
        if not self.exists():
            return []
        with self.transaction() as db:
            return [Claim(address, word, False) for address, word in held_by(db, container)]

    def holders(self) -> dict[str, tuple[str, ...]]:
        """All containers that have something, each with its addresses."""
        if not self.exists():
            return {}
        with self.transaction() as db:
            return holders(db)

    def exists(self) -> bool:
        """Whether there are books at all: who only looks makes none."""
        return file_identity(self.state / DB_NAME) is not None

    def confirm(self, container: str, claims: Sequence[Claim]) -> None:
        """TakenError if another container took one of these meanwhile: until its link is there
        a holder does not count as alive."""
        with self.transaction() as db:
            for claim in claims:
                packed = ipaddress.ip_interface(claim.cidr).packed
                if holder_of(db, packed) != container:
                    raise TakenError(f"address {claim.cidr} was taken meanwhile")

    def release(self, container: str) -> tuple[str, ...]:
        """All that this container holds is free again; what it was."""
        with self.transaction() as db:
            rows = db.execute(
                "DELETE FROM claims WHERE container = ? RETURNING address, prefixlen", (container,)
            ).fetchall()
        return tuple(cidr(ipaddress.ip_address(packed), length) for packed, length in rows)

    def clear(self) -> None:
        """Forget everything: the file goes. Other processes notice at their next transaction."""
        if not self.exists():
            return
        with self.transaction() as db:
            db.execute("DELETE FROM claims")
        with self._lock:
            self.close()
            for name in (DB_NAME, f"{DB_NAME}-wal", f"{DB_NAME}-shm"):
                (self.state / name).unlink(missing_ok=True)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection, while nobody else writes; AttachError where nothing can be written."""
        with self.opened() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                if db.in_transaction:  # SQLite itself has gone back from some of its errors.
                    db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """The connection, while none of our threads uses it. AttachError."""
        with self._lock:
            try:
                yield self.connection()
            except (sqlite3.Error, OSError) as error:
                message = f"the addresses in {self.state} cannot be kept: {error}"
                raise AttachError(message) from error

    def connection(self) -> sqlite3.Connection:
        """The open connection, opened again where another process' clear() took its file."""
        if self._db is not None and self._file == file_identity(self.state / DB_NAME):
            return self._db
        self.close()
        self.state.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(
            self.state / DB_NAME,
            timeout=LOCK_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        # A claim that is lost with the power is that of a container which lost its process too:
        # not worth an fsync in each container's start.
        try:
            db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + SCHEMA)
        except sqlite3.Error:
            db.close()
            raise
        self._db, self._file = db, file_identity(self.state / DB_NAME)
        return db

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


def file_identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of what is at `path` now, or None."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
