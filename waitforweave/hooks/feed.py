"""The engine's events: from bytes to what they mean for us, each once. Pure.

moby: api/types/events, daemon/events. The engine keeps its last 256 events and gives those after
`since`, so that a connection that broke loses none; one that was restarted has forgotten them all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import Enum
from typing import Any
from urllib.parse import quote

import msgspec

# Events are put in order by whoever logs them, and two may do so at once.
OVERLAP_NS = 10 * 1_000_000_000


class Meaning(Enum):
    """What an event asks of us."""

    MADE = "made"  # what it wants, or that it is none of ours, can be known before it is started
    COMING = "coming"  # the engine connects it to a network: it is about to start
    PARTED = "parted"  # from a network: it will not start after all, or it ends
    ATTACH = "attach"  # it has a network namespace that we may not have seen yet
    ENDED = "ended"  # its namespace is gone; it may be started again
    GONE = "gone"  # it never will


MEANINGS = {
    ("container", "create"): Meaning.MADE,
    ("network", "connect"): Meaning.COMING,
    ("network", "disconnect"): Meaning.PARTED,
    ("container", "start"): Meaning.ATTACH,
    ("container", "unpause"): Meaning.ATTACH,
    ("container", "die"): Meaning.ENDED,
    ("container", "destroy"): Meaning.GONE,
    ("container", "remove"): Meaning.GONE,  # podman's word for it, also where Docker is spoken
}


class Actor(msgspec.Struct, frozen=True):
    """The container, whose labels are among the Attributes; or a network, and these name it."""

    ID: str = ""
    Attributes: dict[str, Any] | None = None


class Event(msgspec.Struct, frozen=True):
    """One event; `timeNano` is of the engine's clock."""

    Type: str = ""
    Action: str = ""
    Actor: Actor = Actor()
    timeNano: int = 0  # noqa: N815 - the engine's name

    @property
    def meaning(self) -> Meaning | None:
        return MEANINGS.get((self.Type, self.Action))

    @property
    def container(self) -> str:
        """The id of the container that it is about."""
        if self.Type == "container":
            return self.Actor.ID
        return str((self.Actor.Attributes or {}).get("container", ""))

    @property
    def exit_code(self) -> int | None:
        """Of a "die"."""
        text = str((self.Actor.Attributes or {}).get("exitCode", ""))
        return int(text) if text.isdecimal() else None


def path(since: int | None) -> str:
    """The call that gives the events of MEANINGS from now on, or from `since` (nanoseconds)."""
    types, actions = (sorted(set(words)) for words in zip(*MEANINGS, strict=True))
    filters = json.dumps({"type": types, "event": actions})
    query = f"filters={quote(filters)}"
    if since is not None:
        query += f"&since={since // 1_000_000_000}.{since % 1_000_000_000:09d}"
    return f"/events?{query}"


class Feed:
    """Events from the pieces of one connection after the other. `last` is the newest one's time."""

    def __init__(self) -> None:
        self.last: int | None = None
        self._rest = b""
        # What came within the overlap, with its time: it will come again.
        self._seen: dict[tuple[int, str, str], None] = {}

    @property
    def since(self) -> int | None:
        """From when on the next connection shall begin."""
        return None if self.last is None else self.last - OVERLAP_NS

    def connected(self) -> None:
        """A new connection: half a line of the old one is worth nothing."""
        self._rest = b""

    def read(self, chunk: bytes) -> Iterator[Event]:
        """The events that are complete with this piece, and new. What is no event is skipped: the
        engine may know kinds that we do not."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            try:
                event = msgspec.json.decode(line, type=Event)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
            if event.meaning is not None and self.is_new(event):
                yield event

    def is_new(self, event: Event) -> bool:
        """False for one that came before; remembers it."""
        key = (event.timeNano, event.container, event.Action)
        if key in self._seen:
            return False
        self._seen[key] = None
        if self.last is None or event.timeNano > self.last:
            self.last = event.timeNano
        self.forget()
        return True

    def forget(self) -> None:
        """Drop what no overlap can bring again."""
        assert self.last is not None
        for key in list(self._seen):
            if key[0] >= self.last - OVERLAP_NS:
                return
            del self._seen[key]
