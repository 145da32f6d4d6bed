"""The adapters around a call, one after the other: each gets what the one before it gave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, aclosing

import httpx

from waitforweave.docker.reason import reason_below
from waitforweave.docker.unix_transport import UnixTransport
from waitforweave.proxy import protocol
from waitforweave.proxy.adapters import Adapter
from waitforweave.proxy.protocol import ClientRequest, NonsenseError, ServerResponse
from waitforweave.proxy.refusal import Refusal, refusal

# An attach has 30 s of its own.
ADAPTER_SECONDS = 60.0
# What it answers is held in memory: a body of 16 MiB, of which a byte may take six ("\u0000").
ANSWER_BYTES = 6 * 16 * 1024 * 1024


def transport_to(adapter: Adapter) -> httpx.AsyncBaseTransport:
    """The way to an adapter: a fresh connection for each call.

    No bound on them: a call that waits for another's connection would wait for its attach. None
    is kept: an adapter may close it just when the next call comes (uvicorn does after 5 s), and a
    hook cannot be called again as if nothing had happened.
    """
    if adapter.socket is not None:
        return UnixTransport(adapter.socket)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.AsyncHTTPTransport(limits=limits)


class Adapters:
    """Calls adapters. `async with Adapters() as adapters:`"""

    def __init__(
        self, transport: Callable[[Adapter], httpx.AsyncBaseTransport] = transport_to
    ) -> None:
        self._transport_to = transport
        self._transports: dict[Adapter, httpx.AsyncBaseTransport] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Adapters:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def before(self, adapters: Sequence[Adapter], request: ClientRequest) -> ClientRequest:
        """The pre-hooks' outcome. Refusal."""
        for adapter in adapters:
            answer = await self._call(adapter, protocol.pre_hook(request))
            try:
                request = protocol.read_pre_answer(answer, request)
            except NonsenseError as error:
                raise nonsense(adapter, error) from error
        return request

    async def after(
        self, adapters: Sequence[Adapter], request: ClientRequest, response: ServerResponse
    ) -> ServerResponse:
        """The post-hooks' outcome. Refusal."""
        for adapter in adapters:
            answer = await self._call(adapter, protocol.post_hook(request, response))
            try:
                response = protocol.read_post_answer(answer)
            except NonsenseError as error:
                raise nonsense(adapter, error) from error
        return response

    async def _call(self, adapter: Adapter, content: bytes) -> bytes:
        transport = await self._transport(adapter)
        try:
            async with asyncio.timeout(ADAPTER_SECONDS):
                response, body = await answer(transport, request_to(adapter, content))
        except (TimeoutError, httpx.TimeoutException) as error:
            message = f"adapter {named(adapter)} did not answer within {ADAPTER_SECONDS:.0f} s"
            raise refusal(504, message) from error
        except (httpx.HTTPError, OSError) as error:
            message = f"adapter {named(adapter)} cannot be reached: {reason_below(error)}"
            raise refusal(502, message) from error
        if body is None:
            raise nonsense(adapter, f"more than {ANSWER_BYTES} bytes")
        if response.status_code >= 400:
            # Verbatim, and nobody after it is asked (powerstrip#78).
            content_type = response.headers.get("Content-Type", "text/plain")
            raise Refusal(response.status_code, content_type, body)
        if response.status_code != 200:
            raise nonsense(adapter, f"status {response.status_code}; allowed: 200 or an error")
        return body

    async def _transport(self, adapter: Adapter) -> httpx.AsyncBaseTransport:
        if adapter not in self._transports:
            transport = self._transport_to(adapter)
            self._transports[adapter] = await self._stack.enter_async_context(transport)
        return self._transports[adapter]


def request_to(adapter: Adapter, content: bytes) -> httpx.Request:
    """A hook's call. Without httpx' client: its redirects, cookies and the environment's proxy are
    not for adapters, and take their time; who the URL says that we are, it would say, too."""
    url = httpx.URL(adapter.http_url)
    request = httpx.Request(
        "POST", url, content=content, headers={"Content-Type": "application/json"}
    )
    if not url.userinfo:
        return request
    auth = httpx.BasicAuth(url.username, url.password)
    return next(auth.auth_flow(request))


async def answer(
    transport: httpx.AsyncBaseTransport, request: httpx.Request
) -> tuple[httpx.Response, bytes | None]:
    """Its head, and all of its body; None if that is too long. httpx.HTTPError, OSError."""
    body = bytearray()
    async with aclosing(await transport.handle_async_request(request)) as response:
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > ANSWER_BYTES:
                return response, None
    return response, bytes(body)


def named(adapter: Adapter) -> str:
    return f"{adapter.name} ({adapter.url})"


def nonsense(adapter: Adapter, what: object) -> Refusal:
    return refusal(502, f"adapter {named(adapter)} answered nonsense: {what}")
