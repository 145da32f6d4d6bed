"""The adapters around a call, one after the other: each gets what the one before it gave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

import httpx

from waitforweave.proxy import protocol
from waitforweave.proxy.adapters import Adapter
from waitforweave.proxy.protocol import ClientRequest, NonsenseError, ServerResponse
from waitforweave.proxy.refusal import Refusal, refusal

# An attach has 30 s of its own.
ADAPTER_SECONDS = 60.0


def transport_to(adapter: Adapter) -> httpx.AsyncBaseTransport:
    """The way to an adapter: a fresh connection for each call.

    No bound on them: a call that waits for another's connection would wait for its attach. None
    is kept: an adapter may close it just when the next call comes (uvicorn does after 5 s), and a
    hook cannot be called again as if nothing had happened.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.AsyncHTTPTransport(uds=adapter.socket, limits=limits)


class Adapters:
    """Calls adapters. `async with Adapters() as adapters:`"""

    def __init__(
        self, transport: Callable[[Adapter], httpx.AsyncBaseTransport] = transport_to
    ) -> None:
        self._transport = transport
        self._clients: dict[Adapter, httpx.AsyncClient] = {}
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
        client = await self._client(adapter)
        headers = {"Content-Type": "application/json"}
        try:
            async with asyncio.timeout(ADAPTER_SECONDS):
                response = await client.post(adapter.http_url, content=content, headers=headers)
        except (TimeoutError, httpx.TimeoutException) as error:
            message = f"{named(adapter)} did not answer within {ADAPTER_SECONDS:.0f} s"
            raise refusal(504, message) from error
        except (httpx.HTTPError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise refusal(502, f"{named(adapter)} cannot be reached: {reason}") from error
        if response.status_code >= 400:
            # Verbatim, and nobody after it is asked (powerstrip#78).
            content_type = response.headers.get("Content-Type", "text/plain")
            raise Refusal(response.status_code, content_type, response.content)
        if response.status_code != 200:
            raise nonsense(adapter, f"status {response.status_code}; allowed: 200 or an error")
        return response.content

    async def _client(self, adapter: Adapter) -> httpx.AsyncClient:
        if adapter not in self._clients:
            # trust_env: HTTP_PROXY is not for adapters.
            client = httpx.AsyncClient(
                transport=self._transport(adapter), timeout=ADAPTER_SECONDS, trust_env=False
            )
            self._clients[adapter] = await self._stack.enter_async_context(client)
        return self._clients[adapter]


def named(adapter: Adapter) -> str:
    return f"adapter {adapter.name} ({adapter.url})"


def nonsense(adapter: Adapter, what: object) -> Refusal:
    return refusal(502, f"{named(adapter)} answered nonsense: {what}")
