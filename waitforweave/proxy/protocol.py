"""Powerstrip's protocol, version 1, as a proxy speaks it to adapters. Pure."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

VERSION = 1
# What may stand in a request's first line (RFC 9112 3.2) and in a header's value (RFC 9110 5.5).
TARGET = re.compile(r"[\x21-\x7e]+")
HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


class ClientRequest(msgspec.Struct, frozen=True):
    """A client's call: `Request` is its path with its query, `Body` its text or null."""

    Method: str
    Request: str
    Body: str | None = None


class ServerResponse(msgspec.Struct, frozen=True):
    """The engine's answer."""

    ContentType: str | None = None
    Body: str | None = None
    Code: int = 200


class PreAnswer(msgspec.Struct, frozen=True):
    """What an adapter answers to a pre-hook."""

    PowerstripProtocolVersion: int
    ModifiedClientRequest: ClientRequest


class PostAnswer(msgspec.Struct, frozen=True):
    """What an adapter answers to a post-hook."""

    PowerstripProtocolVersion: int
    ModifiedServerResponse: ServerResponse


class NonsenseError(ValueError):
    """An adapter's answer that is none: what is wrong and where."""


def pre_hook(request: ClientRequest) -> bytes:
    """The body of the call before the engine's."""
    return message("pre-hook", request, {})


def post_hook(request: ClientRequest, response: ServerResponse) -> bytes:
    """The body of the call after the engine's."""
    return message("post-hook", request, {"ServerResponse": response})


def message(kind: str, request: ClientRequest, more: dict[str, ServerResponse]) -> bytes:
    head = {"PowerstripProtocolVersion": VERSION, "Type": kind, "ClientRequest": request}
    return msgspec.json.encode({**head, **more})


def read_pre_answer(body: bytes, sent: ClientRequest) -> ClientRequest:
    """The request as it shall go on; its endpoint may not change, its query may. NonsenseError."""
    request = decode(body, PreAnswer).ModifiedClientRequest
    for name, ours, theirs in (
        ("Method", sent.Method, request.Method),
        ("Request", sent.Request.partition("?")[0], request.Request.partition("?")[0]),
    ):
        if ours != theirs:
            raise NonsenseError(f"it may not change {name} from {ours} to {theirs}")
    if not TARGET.fullmatch(request.Request):
        raise NonsenseError("Request has blanks, control characters or letters beyond ASCII")
    return request


def read_post_answer(body: bytes) -> ServerResponse:
    """The response as it shall go on. NonsenseError."""
    response = decode(body, PostAnswer).ModifiedServerResponse
    if not 200 <= response.Code <= 599:
        raise NonsenseError(f"Code is {response.Code}; allowed: 200 to 599")
    if response.ContentType and not HEADER_VALUE.fullmatch(response.ContentType):
        raise NonsenseError("ContentType cannot stand in a header")
    return response


Answer = TypeVar("Answer", PreAnswer, PostAnswer)


def decode(body: bytes, kind: type[Answer]) -> Answer:
    try:
        answer = msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NonsenseError(str(error)) from error
    if answer.PowerstripProtocolVersion != VERSION:
        raise NonsenseError(
            f"PowerstripProtocolVersion is {answer.PowerstripProtocolVersion}; allowed: {VERSION}"
        )
    return answer
