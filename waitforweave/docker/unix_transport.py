"""HTTP over a unix socket for httpx' requests and answers: a fresh connection for each call.

httpx' own way there (a pool, anyio, a cookie jar) takes three times the processor's time, in which
a container's start waits. No connection is kept: the other side may close it just when the next
call comes, and a call cannot be made again as if nothing had happened.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import h11
import httpx

CHUNK = 64 * 1024
CONNECT_AGAIN_SECONDS = 0.01
# What httpcore says, which httpx' users know.
NO_ANSWER = "Server disconnected without sending a response."


class UnixTransport(httpx.AsyncBaseTransport):
    """To the server at the socket `path`; each step has the time that the request's extension
    "timeout" gives it, as with httpx' own."""

    def __init__(self, path: str) -> None:
        self._path = path

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        call = Call(request)
        try:
            await call.connect(self._path)
            await call.send(request)
            head = await call.head()
        except BaseException:
            call.close()
            raise
        return httpx.Response(
            head.status_code,
            headers=list(head.headers),
            stream=call,
            extensions={"reason_phrase": head.reason},
        )


class Call(httpx.AsyncByteStream):
    """One call's connection, which is its answer's body in the end."""

    def __init__(self, request: httpx.Request) -> None:
        self._request = request
        self._seconds = request.extensions.get("timeout", {})
        self._loop = asyncio.get_running_loop()
        self._state = h11.Connection(h11.CLIENT)
        with errors_of(httpx.ConnectError, httpx.ConnectTimeout):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)

    async def connect(self, path: str) -> None:
        with errors_of(httpx.ConnectError, httpx.ConnectTimeout):
            async with asyncio.timeout(self._seconds.get("connect")):
                # The kernel tells nobody when there is room in the queue.
                while not self._connected(path):  # noqa: ASYNC110
                    await asyncio.sleep(CONNECT_AGAIN_SECONDS)

    def _connected(self, path: str) -> bool:
        """False while the server's queue is full: no connection is under way then (connect(2),
        EAGAIN), which asyncio's sock_connect takes for one that stands. OSError."""
        try:
            self._socket.connect(path)
        except BlockingIOError:
            return False
        return True

    async def send(self, request: httpx.Request) -> None:
        """All of it, or as far as the server reads: its answer says why it has not read on."""
        head = h11.Request(
            method=request.method, target=request.url.raw_path, headers=request.headers.raw
        )
        content = await request.aread()
        data = [self._state.send(head)]
        if content:
            data.append(self._state.send(h11.Data(data=content)))
        data.append(self._state.send(h11.EndOfMessage()))
        try:
            with errors_of(httpx.WriteError, httpx.WriteTimeout):
                async with asyncio.timeout(self._seconds.get("write")):
                    await self._loop.sock_sendall(self._socket, b"".join(filter(None, data)))
        except httpx.WriteError:
            pass

    async def head(self) -> h11.Response:
        """The final one."""
        while True:
            event = await self._event()
            if isinstance(event, h11.Response):
                return event
            # Who says interim ones without end holds up nobody else, nor the time-out: sock_recv
            # does not wait where there is something.
            await asyncio.sleep(0)

    async def _event(self) -> h11.Event:
        with errors_of(httpx.ReadError, httpx.ReadTimeout):
            while (event := self._state.next_event()) is h11.NEED_DATA:
                async with asyncio.timeout(self._seconds.get("read")):
                    data = await self._loop.sock_recv(self._socket, CHUNK)
                if not data and self._state.their_state is h11.SEND_RESPONSE:
                    raise httpx.RemoteProtocolError(NO_ANSWER)
                self._state.receive_data(data)
        # Nothing is paused: the server switches to no other protocol that was not asked for.
        assert not isinstance(event, type)
        return event

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while isinstance(event := await self._event(), h11.Data):
                yield bytes(event.data)
        finally:
            self.close()

    async def aclose(self) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()


@contextmanager
def errors_of(failed: type[httpx.HTTPError], late: type[httpx.HTTPError]) -> Iterator[None]:
    """The kernel's and h11's errors as httpx'."""
    try:
        yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except OSError as error:
        raise failed(str(error)) from error
    except h11.RemoteProtocolError as error:
        raise httpx.RemoteProtocolError(str(error)) from error
