"""One side of the proxy: a socket, and h11's view of what goes over it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import h11
from h11._headers import Headers as h11Headers

from waitforweave.docker.url import EngineUrl

CHUNK = 256 * 1024
# X-Registry-Config holds the credentials of every registry that a client knows.
HEAD_BYTES = 256 * 1024

Headers = list[tuple[bytes, bytes]]
Role = type[h11.SERVER] | type[h11.CLIENT]
Event = h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]


class Wire:
    """`role` is ours: h11.SERVER towards clients, h11.CLIENT towards the engine."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, role: Role
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.http = h11.Connection(role, max_incomplete_event_size=HEAD_BYTES)

    async def receive(self) -> Event:
        """The next event; h11.RemoteProtocolError for bytes that are no HTTP."""
        while True:
            event = self.http.next_event()
            if event is not h11.NEED_DATA:
                return event
            self.http.receive_data(await self.reader.read(CHUNK))

    async def send(self, event: h11.Event) -> None:
        """Send it, and wait while the other side is slow."""
        data = self.http.send(event)
        if data:
            await self.write(data)

    async def write(self, data: bytes) -> None:
        """Bytes past h11: a head as it came, or a stream's."""
        self.writer.write(data)
        await self.writer.drain()

    def rest(self) -> bytes:
        """What has come already behind the head: it belongs to what follows."""
        return self.http.trailing_data[0]

    def reusable(self) -> bool:
        """Whether both sides have done with this exchange and may begin another."""
        return self.http.our_state is h11.DONE and self.http.their_state is h11.DONE

    def stale(self) -> bool:
        """Whether the other side has closed it while nothing went on."""
        return self.reader.at_eof() or self.writer.is_closing()

    def close(self) -> None:
        self.writer.close()


async def connect(engine: EngineUrl) -> Wire:
    """A fresh connection to the engine. OSError."""
    if engine.scheme == "unix":
        reader, writer = await asyncio.open_unix_connection(engine.path)
    else:
        reader, writer = await asyncio.open_connection(engine.host, engine.port)
    return Wire(reader, writer, h11.CLIENT)


def raw(headers: h11Headers) -> Headers:
    """Names in the case and order in which they came."""
    return list(headers.raw_items())


def value_of(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The first header of this name, which is given in lower case."""
    return next((value for key, value in headers if key.lower() == name), None)


def with_body(headers: Headers, length: int) -> Headers:
    """These headers with the framing of a body of this length, where the old framing stood."""
    framing = (b"content-length", b"transfer-encoding")
    places = [place for place, (name, _) in enumerate(headers) if name.lower() in framing]
    at = places[0] if places else len(headers)
    kept = [header for header in headers if header[0].lower() not in (*framing, b"trailer")]
    kept.insert(min(at, len(kept)), (b"Content-Length", str(length).encode()))
    return kept


def with_type(headers: Headers, content_type: str) -> Headers:
    """These headers with this Content-Type."""
    kept = [header for header in headers if header[0].lower() != b"content-type"]
    return [*kept, (b"Content-Type", content_type.encode())]


def is_json(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a body under these headers is JSON, by its Content-Type."""
    kind = value_of(headers, b"content-type") or b""
    return kind.partition(b";")[0].strip().lower() == b"application/json"
