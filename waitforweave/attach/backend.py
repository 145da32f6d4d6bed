"""What an attach is, whichever network it leads to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from waitforweave.gate.weave_cidr import Wanted

# Who holds the host's own addresses; Weave's word for it.
HOST = "weave:expose"


class AttachError(Exception):
    """Why a container is not attached, for the client of the API call."""


@dataclass(frozen=True)
class Container:
    """A running container: its full id, and its first process as the host numbers it."""

    id: str
    pid: int


class Backend(Protocol):
    """One kind of network. All calls block, and may come from several threads at once."""

    # Whether attach() needs no more than the container's process: it may come before the engine
    # says that it runs.
    by_process: bool

    def prepare(self) -> None:
        """Make what all attaches share, or see to it. AttachError."""
        ...

    def attach(self, container: Container, wanted: Sequence[Wanted]) -> tuple[str, ...]:
        """Give the container `ethwe` with what is wanted; "10.2.1.5/24" for each word, in order.

        Idempotent: what is there stays; nothing wanted, nothing done. AttachError; after one
        nothing is left that this call made for this container.
        """
        ...

    def check(self, container: Container, wanted: Sequence[Wanted]) -> None:
        """AttachError says what an attach with these words promised and is not there (any more).
        Changes nothing."""
        ...

    def detach(self, container_id: str) -> tuple[str, ...]:
        """Take `ethwe` away and give the addresses back; which these were, () for none.

        The container need not run, nor be there at all. AttachError.
        """
        ...

    def expose(self, wanted: Sequence[Wanted]) -> tuple[str, ...]:
        """Give the host these addresses in the network; as attach() does. AttachError."""
        ...

    def hide(self, wanted: Sequence[Wanted] = ()) -> tuple[str, ...]:
        """Take these away from the host again, or all; which these were. AttachError."""
        ...

    def list(self) -> Mapping[str, tuple[str, ...]]:
        """The full ids of all containers that have something of ours, running or not, each with
        its addresses ("10.2.1.5/24"), or () where only a link is left. AttachError.

        detach() of such an id leaves nothing of it.
        """
        ...

    def remove_all(self) -> None:
        """Take away all that this backend made on this host."""
        ...
