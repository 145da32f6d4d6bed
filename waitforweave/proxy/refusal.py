"""Answers that the engine never gave: an adapter's own error, or ours in Docker's error form."""

from __future__ import annotations

import json
from http import HTTPStatus


class Refusal(Exception):  # noqa: N818 - an answer to the client, which need not be our error
    """The call ends here, and this goes to the client."""

    def __init__(self, code: int, content_type: str, body: bytes) -> None:
        super().__init__(f"{code}: {body[:200]!r}")
        self.code = code
        self.content_type = content_type
        self.body = body

    def encode(self, *, without_body: bool) -> bytes:
        """The whole answer; the connection ends with it. An answer to HEAD is without its body."""
        lines = [
            b"HTTP/1.1 %d %s" % (self.code, phrase(self.code)),
            b"Content-Type: " + self.content_type.encode("latin-1", "replace"),
            b"Content-Length: %d" % len(self.body),
            b"Connection: close",
        ]
        return b"\r\n".join([*lines, b"", b"" if without_body else self.body])


def refusal(code: int, message: str) -> Refusal:
    """In Docker's error form: the client prints it after "Error response from daemon:"."""
    body = json.dumps({"message": f"weavewait proxy: {message}"}).encode()
    return Refusal(code, "application/json", body)


def phrase(code: int) -> bytes:
    """The reason phrase, empty for a code that has none."""
    try:
        return HTTPStatus(code).phrase.encode()
    except ValueError:
        return b""
