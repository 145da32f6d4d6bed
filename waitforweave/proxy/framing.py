"""Where a body ends (RFC 9112, section 6). Bodies are passed on as they came: nothing is decoded
and encoded again, so that chunks, their extensions and trailers stay what they were. Pure.

A body takes what is its own of the bytes that came, until it has ended:

    body = request_body(head)
    taken = body.take(data)      # data[:taken] is the body's, the rest is what follows
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Protocol

import h11

from waitforweave.proxy.heads import Response, value_of

# A chunk's size; more digits than Go takes (net/http/internal: 16) would be read differently.
SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[^\x00-\x08\x0a-\x1f\x7f]*)?\r\n")
TRAILER_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00-\x08\x0a-\x1f\x7f]*\r\n")
LINE_BYTES = 16 * 1024


class FramingError(Exception):
    """The bytes are no body as their head announced it."""


class Body(Protocol):
    """A body that is under way."""

    ended: bool

    def take(self, data: bytes) -> int:
        """How many of these bytes are the body's. FramingError."""

    def cut(self) -> bool:
        """Whether an end of the connection here cuts the body."""


class Length:
    """A body of so many bytes, perhaps none."""

    def __init__(self, length: int) -> None:
        self.left = length
        self.ended = not length

    def take(self, data: bytes) -> int:
        taken = min(self.left, len(data))
        self.left -= taken
        self.ended = not self.left
        return taken

    def cut(self) -> bool:
        return not self.ended


class UntilClose:
    """A response's body without any framing: the connection's end is its end."""

    ended = False

    def take(self, data: bytes) -> int:
        return len(data)

    def cut(self) -> bool:
        return False


class Expect(Enum):
    """The line that a chunked body goes on with, when no chunk's content is under way."""

    SIZE = auto()
    END_OF_CHUNK = auto()
    TRAILER = auto()


class Chunked:
    """Chunks, the last one empty, and trailers."""

    def __init__(self) -> None:
        self.ended = False
        self._content = 0
        self._expect = Expect.SIZE
        self._line = b""

    def take(self, data: bytes) -> int:
        at = 0
        while at < len(data) and not self.ended:
            if self._content:
                step = min(self._content, len(data) - at)
                self._content -= step
                at += step
            else:
                at = self._take_line(data, at)
        return at

    def cut(self) -> bool:
        return not self.ended

    def _take_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at) + 1 or len(data)
        self._line += data[at:end]
        if len(self._line) > LINE_BYTES:
            raise FramingError("a chunk's line is too long")
        if self._line.endswith(b"\n"):
            line, self._line = self._line, b""
            self._read_line(line)
        return end

    def _read_line(self, line: bytes) -> None:
        if self._expect is Expect.SIZE:
            self._content = chunk_size(line)
            self._expect = Expect.END_OF_CHUNK if self._content else Expect.TRAILER
        elif self._expect is Expect.END_OF_CHUNK:
            if line != b"\r\n":
                raise FramingError("a chunk is longer than it says")
            self._expect = Expect.SIZE
        elif line == b"\r\n":
            self.ended = True
        elif not TRAILER_LINE.fullmatch(line):
            raise FramingError(f"bad trailer: {line[:80]!r}")


def chunk_size(line: bytes) -> int:
    """The size that a chunk's first line gives. FramingError."""
    match = SIZE_LINE.fullmatch(line)
    if match is None:
        raise FramingError(f"bad chunk size: {line[:80]!r}")
    return int(match[1], 16)


def request_body(request: h11.Request) -> Body:
    """The body of a request. FramingError where two readers could see two ends."""
    body = framed(request)
    return Length(0) if body is None else body


def response_body(method: bytes, response: Response) -> Body:
    """The body of a response to a request of this method. FramingError."""
    if method == b"HEAD" or response.status_code < 200 or response.status_code in (204, 304):
        return Length(0)
    body = framed(response)
    return UntilClose() if body is None else body


def framed(head: h11.Request | Response) -> Body | None:
    """The body that the head announces; h11 has checked each of the two headers on its own."""
    chunked = value_of(head, b"transfer-encoding") is not None
    length = value_of(head, b"content-length")
    if chunked and (length is not None or head.http_version != b"1.1"):
        raise FramingError("Transfer-Encoding beside Content-Length, or in HTTP/1.0")
    if chunked:
        return Chunked()
    return None if length is None else Length(int(length))


def content_of(body: Body, data: bytes) -> bytes:
    """What a whole body holds, without its chunks' frames."""
    if not isinstance(body, Chunked):
        return data
    content: list[bytes] = []
    at = 0
    while True:
        end = data.index(b"\n", at) + 1
        size = chunk_size(data[at:end])
        if not size:
            return b"".join(content)
        content.append(data[end : end + size])
        at = end + size + 2
