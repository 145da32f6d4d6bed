"""The adapters around a call, one after the other: each gets what the one before it gave."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AsyncExitStack

import httpx

from waitforweave.proxy import protocol
from waitforweave.proxy.adapters import Adapter
from waitforweave.proxy.protocol import ClientRequest, NonsenseError, ServerResponse

# An attach has 30 s of its own.
ADAPTER_SECONDS = 60.0


class Refusal(Exception):  # noqa: N818 - an answer to the client, which need not be our error
    """The chain ends here, and this goes to the client: an adapter's own error or ours about it."""

    def __init__(self, code: int, content_type: str, body: bytes) -> None:
        super().__init__(f"{code}: {body[:200]!r}")
        self.code = code
        self.content_type = content_type
        self.body = body


def refusal(code: int, message: str) -> Refusal:
    """In Docker's error form: the client prints it after "Error response from daemon:"."""
    return Refusal(code, "application/json", json.dumps({"message": message}).encode())


class Adapters:
    """Calls adapters; one connection pool an adapter. `async with Adapters() as adapters:`"""

    def __init__(self) -> None:
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
            response = await client.post(adapter.http_url, content=content, headers=headers)
        except httpx.TimeoutException as error:
            message = f"{named(adapter)} did not answer within {ADAPTER_SECONDS:.0f} s"
            raise refusal(504, message) from error
        except httpx.HTTPError as error:
            raise refusal(502, f"{named(adapter)} cannot be reached: {error}") from error
        if response.status_code >= 400:
            # Verbatim, and nobody after it is asked (powerstrip#78).
            content_type = response.headers.get("Content-Type", "text/plain")
            raise Refusal(response.status_code, content_type, response.content)
        return response.content

    async def _client(self, adapter: Adapter) -> httpx.AsyncClient:
        if adapter not in self._clients:
            # No bound: a call that waits for another's connection would wait for its attach.
            limits = httpx.Limits(max_connections=None)
            transport = httpx.AsyncHTTPTransport(uds=adapter.socket, limits=limits)
            # trust_env off: HTTP_PROXY is not for adapters.
            client = httpx.AsyncClient(
                transport=transport, timeout=ADAPTER_SECONDS, trust_env=False
            )
            self._clients[adapter] = await self._stack.enter_async_context(client)
        return self._clients[adapter]


def named(adapter: Adapter) -> str:
    return f"adapter {adapter.name} ({adapter.url})"


def nonsense(adapter: Adapter, error: NonsenseError) -> Refusal:
    return refusal(502, f"{named(adapter)} answered nonsense: {error}")
