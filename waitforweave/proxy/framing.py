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

from waitforweave.proxy.heads import Request, Response, value_of

# A chunk's size; more digits than Go takes (net/http/internal: 16) would be read differently.
SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[^\x00-\x08\x0a-\x1f\x7f]*)?\r\n")
# The end of a chunk and the size of the next one, without extensions.
BETWEEN = re.compile(rb"\r\n([0-9A-Fa-f]{1,16})\r\n")
TRAILER_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00-\x08\x0a-\x1f\x7f]*\r\n")
# More digits than Go takes (strconv.ParseInt: 63 bits) would be read differently.
LENGTH = re.compile(rb"[0-9]{1,18}")
LINE_BYTES = 16 * 1024
# Answers that have no body, whatever their head says.
BODILESS = (204, 304)


class FramingError(Exception):
    """The bytes are no body as their head announced it; `status` is what a server answers then."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


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
                at = self._take_chunks(data, at) or self._take_line(data, at)
        return at

    def cut(self) -> bool:
        return not self.ended

    def _take_chunks(self, data: bytes, at: int) -> int:
        """Past chunks whose lines are here as a whole, as most are; 0 if there is none such."""
        if self._line or self._expect is not Expect.END_OF_CHUNK:
            return 0
        behind = 0
        while (match := BETWEEN.match(data, at)) and (content := int(match[1], 16)):
            at = behind = match.end() + content
            if at >= len(data):
                self._content = at - len(data)
                return len(data)
        return behind

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


def request_body(request: Request) -> Body:
    """The body of a request. FramingError where two readers could see two ends."""
    body = framed(request)
    return Length(0) if body is None else body


def response_body(method: bytes, response: Response) -> Body:
    """The body of a response to a request of this method. FramingError."""
    if method == b"HEAD" or response.status_code < 200 or response.status_code in BODILESS:
        return Length(0)
    body = framed(response)
    return UntilClose() if body is None else body


def framed(head: Request | Response) -> Body | None:
    """The body that the head announces. A header that came twice is a list here, which is none."""
    coding = value_of(head, b"transfer-encoding")
    length = value_of(head, b"content-length")
    if coding is None:
        return None if length is None else Length(length_in(length))
    if length is not None or head.http_version != b"1.1":
        raise FramingError("Transfer-Encoding beside Content-Length, or in HTTP/1.0")
    if coding.lower() != b"chunked":
        raise FramingError(f"Transfer-Encoding {coding[:80]!r}: only chunked is spoken here", 501)
    return Chunked()


def length_in(value: bytes) -> int:
    """The number that a Content-Length is. FramingError."""
    if not LENGTH.fullmatch(value):
        raise FramingError(f"bad Content-Length: {value[:80]!r}; allowed: one number, in digits")
    return int(value)


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
