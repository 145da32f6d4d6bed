"""Powerstrip's protocol, version 1, as an adapter reads and answers it. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

VERSION = 1


class HookError(Exception):
    """A hook's refusal: `status` and `message` go to the Docker client, and the call ends there."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class ClientRequest(msgspec.Struct, frozen=True):
    """The call that a client made: `Request` is its path with its query, `Body` its text."""

    Method: str
    Request: str
    Body: str | None = None


class ServerResponse(msgspec.Struct, frozen=True):
    """What the engine answered."""

    ContentType: str | None = None
    Body: str | None = None
    Code: int = 200


class Call(msgspec.Struct, frozen=True):
    """What the proxy sends to us."""

    PowerstripProtocolVersion: int
    Type: Literal["pre-hook", "post-hook"]
    ClientRequest: ClientRequest
    ServerResponse: ServerResponse | None = None


def decode(body: bytes) -> Call:
    """The call that `body` holds. HookError 400 names what is wrong and where."""
    try:
        call = msgspec.json.decode(body, type=Call)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise HookError(400, f"weavewait: no call of Powerstrip's protocol: {error}") from error
    if call.PowerstripProtocolVersion != VERSION:
        raise HookError(
            400,
            f"weavewait: PowerstripProtocolVersion is {call.PowerstripProtocolVersion}; "
            f"allowed: {VERSION}",
        )
    if call.Type == "post-hook" and call.ServerResponse is None:
        raise HookError(400, "weavewait: a post-hook without ServerResponse")
    return call


def answer(result: ClientRequest | ServerResponse) -> bytes:
    """The body of our answer: the request or the response as it shall go on."""
    name = (
        "ModifiedClientRequest" if isinstance(result, ClientRequest) else "ModifiedServerResponse"
    )
    return msgspec.json.encode({"PowerstripProtocolVersion": VERSION, name: result})
