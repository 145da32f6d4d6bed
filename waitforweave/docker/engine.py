"""The few calls of our own to the Docker Engine, in the API version that it speaks itself."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from waitforweave.docker.reason import reason_below
from waitforweave.docker.unix_transport import UnixTransport
from waitforweave.docker.url import parse_engine_url

# For each step of a call: to connect, to send, for the next bytes of the answer.
CALL_SECONDS = 30.0
TIMES = {"timeout": httpx.Timeout(CALL_SECONDS).as_dict()}
# httpx lets OpenSSL's own through, once the handshake is done: that a certificate is required, say.
FAILURES = (httpx.HTTPError, ssl.SSLError)
# What `docker ps` says of a container that has processes, or is about to have some again.
RUNNING = ("running", "paused", "restarting")


class EngineError(Exception):
    """The engine said no (`status`, its own message), or cannot be reached (`status` 0)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Engine:
    """`async with Engine("unix:///var/run/docker.sock") as engine:`"""

    def __init__(
        self,
        url: str,
        transport: httpx.AsyncBaseTransport | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """To an engine on TCP by TLS, where `tls` has the certificates."""
        parsed = parse_engine_url(url)
        self.url = str(parsed)
        if parsed.scheme == "unix":
            self._base = "http://engine"
            self._transport = transport or UnixTransport(parsed.path)
        else:
            self._base = self.url.replace("tcp://", "https://" if tls else "http://", 1)
            # Without TLS there is nothing to verify, and no authorities are read for it.
            self._transport = transport or httpx.AsyncHTTPTransport(verify=tls or False)
        self._version: str | None = None

    async def __aenter__(self) -> Engine:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._transport.aclose()

    async def inspect_image(self, name: str) -> dict[str, Any]:
        """`docker image inspect NAME`; a name may hold "/", ":" and "@"."""
        return await self._inspect(f"/images/{quoted(name, '/:@')}/json", name)

    async def inspect_container(self, name: str) -> dict[str, Any]:
        """`docker inspect NAME`."""
        return await self._inspect(f"/containers/{quoted(name)}/json", name)

    async def _inspect(self, path: str, name: str) -> dict[str, Any]:
        """EngineError 404 also for a name that can be nobody's, such as "." and "a//b": the
        engine's router answers with a list of all, or with a redirect."""
        response = await self.request("GET", path)
        found = response.json() if response.status_code == 200 else None
        if not isinstance(found, dict):
            raise EngineError(404, f'nothing can have the name "{name}"')
        return found

    async def kill(self, name: str) -> None:
        """`docker kill NAME`."""
        await self.request("POST", f"/containers/{quoted(name)}/kill")

    async def request(
        self, method: str, path: str, *, json: object = None, content: bytes | None = None
    ) -> httpx.Response:
        """One call; `path` has no version. EngineError for any answer of 400 and above."""
        version = await self.version()
        url = f"{self._base}/v{version}{path}"
        try:
            request = httpx.Request(method, url, json=json, content=content, extensions=TIMES)
        except httpx.InvalidURL as error:  # Too long, so no name of anything.
            raise EngineError(400, str(error)) from error
        return await self._send(request)

    async def containers(self) -> dict[str, bool]:
        """All containers' ids, and whether each runs (`docker ps -a`); a paused one does."""
        found = (await self.request("GET", "/containers/json?all=1")).json()
        return {each["Id"]: each["State"] in RUNNING for each in found}

    async def stream(self, method: str, path: str) -> AsyncIterator[bytes]:
        """A call whose answer comes as it is made, and may never end: no time-out."""
        async with self.opened(method, path) as chunks:
            async for chunk in chunks:
                yield chunk

    @asynccontextmanager
    async def opened(self, method: str, path: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """The same; inside of the block the engine has answered, and nothing from here on is
        missed. EngineError, also while the answer is read."""
        version = await self.version()
        try:
            request = httpx.Request(method, f"{self._base}/v{version}{path}")
            async with aclosing(await self._answer(request)) as response:
                await check(response)
                yield response.aiter_raw()
        except FAILURES as error:
            raise self._unreachable(error) from error
        finally:
            # An engine that has ended may come back as another version.
            self._version = None

    async def version(self) -> str:
        """The engine's own API version, never a pinned one (weave#4002)."""
        if self._version is None:
            request = httpx.Request("GET", f"{self._base}/_ping", extensions=TIMES)
            try:
                response = await self._send(request)
            except EngineError as error:
                if not error.status:
                    raise
                # Words of whoever that is, which do not say of whom: "Not Found", say.
                said = f"{self.url} answers, but not as a Docker Engine: {error}"
                raise EngineError(error.status, said) from error
            self._version = response.headers.get("Api-Version", "")
            if not self._version:
                raise EngineError(0, f"{self.url} answers, but is no Docker Engine")
        return self._version

    async def _send(self, request: httpx.Request) -> httpx.Response:
        """All of the answer. EngineError."""
        try:
            async with aclosing(await self._answer(request)) as response:
                await response.aread()
        except FAILURES as error:
            raise self._unreachable(error) from error
        await check(response)
        return response

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        """An answer whose body is still to come. Without httpx' client: its cookies, redirects and
        the environment's proxy are not for the engine, and take their time. httpx.HTTPError."""
        response = await self._transport.handle_async_request(request)
        response.request = request
        return response

    def _unreachable(self, error: httpx.HTTPError | OSError) -> EngineError:
        # It may come back as another version.
        self._version = None
        return EngineError(0, f"no answer from the engine at {self.url}: {reason_below(error)}")


def quoted(name: str, safe: str = "") -> str:
    """A name in a path; what is no UTF-8 on a command line (PEP 383) goes as the bytes it was."""
    return quote(name, safe=safe, errors="surrogateescape")


async def check(response: httpx.Response) -> None:
    """EngineError with the engine's own message, where it sent one."""
    if response.status_code < 400:
        return
    await response.aread()
    try:
        message = str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        message = response.text.strip() or response.reason_phrase
    raise EngineError(response.status_code, message)
