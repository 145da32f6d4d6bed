"""Bytes -> heads of requests and responses (RFC 9112, sections 2 to 5). Pure.

Strict: what is forwarded as it came must be read alike by whoever comes next. No folded lines, no
bare CR or LF, no blank before a colon, no NUL. One regular expression for a whole head takes a
tenth of h11's time, and a `docker run` is six heads each way.
"""

from __future__ import annotations

import re

from waitforweave.proxy.heads import Request, Response, fields_of

# As many as Go's net/http takes. X-Registry-Config holds the credentials of every registry that a
# client knows.
HEAD_BYTES = 1024 * 1024
VERSIONS = (b"1.0", b"1.1")

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
TEXT = rb"[^\x00-\x08\x0a-\x1f\x7f]*"
# Letters beyond ASCII are none of RFC 9112's, but curl sends them as they are typed, and Go's
# net/url takes them.
REQUEST_LINE = rb"(" + TOKEN + rb") ([\x21-\x7e\x80-\xff]+) HTTP/([0-9]\.[0-9])\r\n"
STATUS_LINE = rb"HTTP/(1\.[01]) ([1-9][0-9][0-9])(?: (" + TEXT + rb"))?\r\n"
HEADER = re.compile(TOKEN + rb":" + TEXT)
# Possessive: a byte is looked at once, whatever follows.
HEADERS = rb"(?:" + TOKEN + rb":" + TEXT + rb"\r\n)*+\r\n"
REQUEST = re.compile(REQUEST_LINE + HEADERS)
RESPONSE = re.compile(STATUS_LINE + HEADERS)
END = b"\r\n\r\n"
BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")


class HeadError(Exception):
    """The bytes are no head; `status` is what a server answers to such a request."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def end_of_head(data: bytes | bytearray, seen: int = 0) -> int:
    """Where the head ends with which the data begins, 0 if it goes on; its first `seen` bytes have
    been looked at before. HeadError as soon as it cannot become a head."""
    end = data.find(END, max(0, seen - 3)) + len(END)
    if len(END) <= end <= HEAD_BYTES:
        return end
    if end > HEAD_BYTES or len(data) > HEAD_BYTES:
        raise HeadError(431, f"a head has at most {HEAD_BYTES} bytes")
    # Whoever waits for more would wait for ever.
    if data[:1] <= b" " or BARE_LINE_FEED.search(data, max(0, seen - 1)):
        raise HeadError(400, f"no HTTP: {bytes(data[:80])!r}")
    return 0


def read_request(came: bytes) -> Request:
    """The request of this head. HeadError."""
    match = REQUEST.fullmatch(came)
    if match is None:
        raise HeadError(400, f"no head of a request: {wrong_line(came)!r}")
    method, target, version = match.groups()
    if version not in VERSIONS:
        raise HeadError(505, f"HTTP/{version.decode()} is not spoken here; allowed: 1.0, 1.1")
    request = Request(method, target, version, came, fields_of(came))
    host = request.fields.get(b"host")
    if host is None and version == b"1.1":
        raise HeadError(400, "no Host; allowed: one, with HTTP/1.1")
    # A host may have a comma; two of them are listed with a blank, which none may have.
    if host is not None and b", " in host:
        raise HeadError(400, f"more than one Host: {host[:80]!r}")
    return request


def read_response(came: bytes) -> Response:
    """The response of this head. HeadError."""
    match = RESPONSE.fullmatch(came)
    if match is None:
        raise HeadError(502, f"no head of a response: {wrong_line(came)!r}")
    version, status, reason = match.groups()
    return Response(int(status), reason or b"", version, came, fields_of(came))


def wrong_line(came: bytes) -> bytes:
    """For a person: the first line that is no header, or the head's first line."""
    first, *lines = came.removesuffix(END).split(b"\r\n")
    wrong = [line for line in lines if not HEADER.fullmatch(line)]
    return (wrong[0] if wrong else first)[:80]
