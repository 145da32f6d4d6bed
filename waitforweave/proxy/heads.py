"""Heads of requests and responses, and what they say. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

Headers = list[tuple[bytes, bytes]]
Fields = dict[bytes, bytes]
BLANKS = b" \t"
WRITTEN_PLAINLY = bytes(range(0x21, 0x7F))
LINE = re.compile(rb"\r\n([^:\r\n]+):([^\r\n]*)")
# What is asked of heads on their way; the other headers are only passed on. The first letters are
# looked at alone, which passes by most of the others in a third of the time.
ASKED = re.compile(
    rb"\r\n(?=[CcEeHhTt])"
    rb"(connection|content-length|content-type|expect|host|transfer-encoding):([^\r]*)",
    re.I,
)


@dataclass(slots=True)
class Request:
    """A request's head; `came` is all of it, just as it came."""

    method: bytes
    target: bytes
    http_version: bytes
    came: bytes
    fields: Fields


@dataclass(slots=True)
class Response:
    """A response's head, interim or final."""

    status_code: int
    reason: bytes
    http_version: bytes
    came: bytes
    fields: Fields


def fields_of(came: bytes) -> Fields:
    """The headers that are asked for, by their names in lower case; what came several times is one
    list."""
    fields: Fields = {}
    for name, value in ASKED.findall(came):
        key, word = name.lower(), value.strip(BLANKS)
        fields[key] = fields[key] + b", " + word if key in fields else word
    return fields


def target_of(request: Request) -> str:
    """The target as text, with letters beyond ASCII as it should have been written."""
    target = request.target
    return target.decode() if target.isascii() else quote(target, safe=WRITTEN_PLAINLY)


def request_line(request: Request, target: bytes) -> bytes:
    """The first line of this request to another target."""
    return b"%s %s HTTP/%s" % (request.method, target, request.http_version)


def status_line(response: Response, code: int, reason: bytes) -> bytes:
    """The first line of this response with another status."""
    return b"HTTP/%s %d %s" % (response.http_version, code, reason)


def encode(first: bytes, headers: Headers) -> bytes:
    """A head that we make."""
    return b"\r\n".join([first, *[b"%s: %s" % header for header in headers], b"", b""])


def value_of(head: Request | Response, name: bytes) -> bytes | None:
    """The value of the headers of this name, which is given in lower case and is one of ASKED."""
    return head.fields.get(name)


def tokens_of(head: Request | Response, name: bytes) -> set[bytes]:
    """The words of a header that is a list, in lower case as its name."""
    value = head.fields.get(name)
    return {word.strip() for word in value.lower().split(b",")} if value else set()


def text_of(head: Request | Response, name: bytes) -> str | None:
    """The same as text."""
    value = value_of(head, name)
    return None if value is None else value.decode("latin-1")


def keeps_alive(head: Request | Response) -> bool:
    """Whether another exchange may follow on this connection, by what this head says."""
    if b"connection" not in head.fields:
        return head.http_version == b"1.1"
    tokens = tokens_of(head, b"connection")
    if head.http_version == b"1.1":
        return b"close" not in tokens
    return b"keep-alive" in tokens  # Go's server does so for HTTP/1.0 (ab -k).


def expects_continue(request: Request) -> bool:
    """Whether the engine would say 100 Continue when it reads the body: not to HTTP/1.0, and what
    else may be expected it answers with 417 (net/http: server.go, expectsContinue)."""
    return request.http_version == b"1.1" and b"100-continue" in tokens_of(request, b"expect")


def is_json(head: Request | Response) -> bool:
    """Whether a body under this head is JSON, by its Content-Type: the first, if there are several
    (net/http: Header.Get)."""
    kind = (value_of(head, b"content-type") or b"").partition(b",")[0]
    return kind.partition(b";")[0].strip().lower() == b"application/json"


def raw(head: Request | Response) -> Headers:
    """Names in the case and order in which they came."""
    return [(name, value.strip(BLANKS)) for name, value in LINE.findall(head.came)]


def with_length(headers: Headers, length: int | None) -> Headers:
    """These headers with the framing of a body of this length, None for an answer that has no
    body at all, where the old framing stood."""
    framing = (b"content-length", b"transfer-encoding", b"trailer")
    wanted = [] if length is None else [(b"Content-Length", b"%d" % length)]
    places = [place for place, (name, _) in enumerate(headers) if name.lower() in framing]
    at = places[0] if places else len(headers)
    after = [header for header in headers[at:] if header[0].lower() not in framing]
    return [*headers[:at], *wanted, *after]


def with_type(headers: Headers, content_type: str) -> Headers:
    """These headers with this Content-Type."""
    kept = [header for header in headers if header[0].lower() != b"content-type"]
    return [*kept, (b"Content-Type", content_type.strip().encode("latin-1", "replace"))]
