"""Heads of requests and responses, and what they say. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

Headers = list[tuple[bytes, bytes]]
Fields = dict[bytes, bytes]
BLANKS = b" \t"


@dataclass(slots=True)
class Request:
    """A request's head: names in the case and order in which they came, values with or without
    blanks around them. `came` is all of it as it came, empty for one that we made."""

    method: bytes
    target: bytes
    headers: Headers
    http_version: bytes = b"1.1"
    came: bytes = b""
    fields: Fields = field(init=False)

    def __post_init__(self) -> None:
        self.fields = fields_of(self.headers)


@dataclass(slots=True)
class Response:
    """A response's head, interim or final."""

    status_code: int
    headers: Headers
    reason: bytes = b""
    http_version: bytes = b"1.1"
    came: bytes = b""
    fields: Fields = field(init=False)

    def __post_init__(self) -> None:
        self.fields = fields_of(self.headers)


def fields_of(headers: Headers) -> Fields:
    """The headers by their names in lower case; what came several times is one list."""
    fields: Fields = {}
    for name, value in headers:
        key, word = name.lower(), value.strip(BLANKS)
        fields[key] = fields[key] + b", " + word if key in fields else word
    return fields


def encode(head: Request | Response) -> bytes:
    """The head's bytes, just as they came, or as we made it."""
    if head.came:
        return head.came
    if isinstance(head, Request):
        first = b"%s %s HTTP/%s" % (head.method, head.target, head.http_version)
    else:
        first = b"HTTP/%s %d %s" % (head.http_version, head.status_code, head.reason)
    lines = [b"%s: %s" % header for header in raw(head)]
    return b"\r\n".join([first, *lines, b"", b""])


def value_of(head: Request | Response, name: bytes) -> bytes | None:
    """The value of the headers of this name, which is given in lower case."""
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
    tokens = tokens_of(head, b"connection")
    if head.http_version == b"1.1":
        return b"close" not in tokens
    return b"keep-alive" in tokens  # Go's server does so for HTTP/1.0 (ab -k).


def expects_continue(request: Request) -> bool:
    """Whether the engine would say 100 Continue when it reads the body: not to HTTP/1.0, and what
    else may be expected it answers with 417 (net/http: server.go, expectsContinue)."""
    return request.http_version == b"1.1" and b"100-continue" in tokens_of(request, b"expect")


def is_json(head: Request | Response) -> bool:
    """Whether a body under this head is JSON, by its Content-Type."""
    kind = value_of(head, b"content-type") or b""
    return kind.partition(b";")[0].strip().lower() == b"application/json"


def raw(head: Request | Response) -> Headers:
    """Names in the case and order in which they came."""
    return [(name, value.strip(BLANKS)) for name, value in head.headers]


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
