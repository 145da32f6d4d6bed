"""Heads of requests and responses: read by h11, written as they came. Pure."""

from __future__ import annotations

import h11

# X-Registry-Config holds the credentials of every registry that a client knows.
HEAD_BYTES = 256 * 1024

Headers = list[tuple[bytes, bytes]]
Response = h11.Response | h11.InformationalResponse

# h11 reads a response only after a request of its own. One that asks for an upgrade may be
# answered by anything; which answers have bodies is decided in framing.py, not by h11.
ANY_REQUEST = h11.Request(
    method="GET", target="/", headers=[("Host", ""), ("Connection", "Upgrade"), ("Upgrade", "any")]
)


def request_reader() -> h11.Connection:
    """Reads one request's head, strictly; `trailing_data` is what came behind it."""
    return h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)


def response_reader() -> h11.Connection:
    """Reads heads of responses up to one that is final."""
    reader = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)
    reader.send(ANY_REQUEST)
    reader.send(h11.EndOfMessage())
    return reader


def encode(head: h11.Request | Response) -> bytes:
    """The head's bytes: names in the case and order in which they came, and the same version."""
    if isinstance(head, h11.Request):
        first = b"%s %s HTTP/%s" % (head.method, head.target, head.http_version)
    else:
        first = b"HTTP/%s %d %s" % (head.http_version, head.status_code, head.reason)
    lines = [b"%s: %s" % header for header in head.headers.raw_items()]
    return b"\r\n".join([first, *lines, b"", b""])


def values_of(head: h11.Request | Response, name: bytes) -> list[bytes]:
    """The values of all headers of this name, which is given in lower case."""
    return [value for key, value in head.headers.raw_items() if key.lower() == name]


def value_of(head: h11.Request | Response, name: bytes) -> bytes | None:
    """The first header of this name, which is given in lower case."""
    return next((value for key, value in head.headers.raw_items() if key.lower() == name), None)


def tokens_of(head: h11.Request | Response, name: bytes) -> set[bytes]:
    """The words of a header that is a list, in lower case as its name."""
    return {word.strip() for word in b",".join(values_of(head, name)).lower().split(b",")}


def text_of(head: h11.Request | Response, name: bytes) -> str | None:
    """The same as text."""
    value = value_of(head, name)
    return None if value is None else value.decode("latin-1")


def keeps_alive(head: h11.Request | Response) -> bool:
    """Whether another exchange may follow on this connection, by what this head says."""
    tokens = tokens_of(head, b"connection")
    if head.http_version == b"1.1":
        return b"close" not in tokens
    return b"keep-alive" in tokens  # Go's server does so for HTTP/1.0 (ab -k).


def expects_continue(request: h11.Request) -> bool:
    """Whether the engine would say 100 Continue when it reads the body: not to HTTP/1.0, and what
    else may be expected it answers with 417 (net/http: server.go, expectsContinue)."""
    return request.http_version == b"1.1" and b"100-continue" in tokens_of(request, b"expect")


def is_json(head: h11.Request | Response) -> bool:
    """Whether a body under this head is JSON, by its Content-Type."""
    kind = value_of(head, b"content-type") or b""
    return kind.partition(b";")[0].strip().lower() == b"application/json"


def raw(head: h11.Request | Response) -> Headers:
    """Names in the case and order in which they came."""
    return list(head.headers.raw_items())


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
