"""Small calls, passed on where the loop tells that something has come.

Most calls come as a whole in one read, and so do their answers: ping, inspect, start. To wake a
task twice for each takes longer than all else that is to do with them. So a connection's task
sleeps while such calls pass, and goes on with what is anything else, which is left as it came.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from waitforweave.proxy import heads
from waitforweave.proxy.framing import FramingError, request_body, response_body
from waitforweave.proxy.heads import Request
from waitforweave.proxy.parsing import HeadError, end_of_head, read_request, read_response
from waitforweave.proxy.wakeup import Wakeup
from waitforweave.proxy.wire import Wire

# The longest answer that is kept for comparison: idle clients cost nothing else, and can be many.
KEPT_BYTES = 4096


@dataclass(frozen=True)
class Begun:
    """A call whose request has been read, and is with the engine but for what is `unsent`."""

    request: Request
    unsent: bytes


class SmallCalls:
    """The calls of a client over a connection to the engine, as long as each is small and passes
    `untouched`. Nothing that has been read of either may wait for its turn."""

    def __init__(self, client: Wire, engine: Wire, untouched: Callable[[Request], bool]) -> None:
        self._client, self._engine = client, engine
        self._untouched = untouched
        self._wakeup = Wakeup(asyncio.get_running_loop())
        self._begun: Begun | None = None
        # Who polls asks the same again and again, and mostly hears the same: that need not be taken
        # apart anew, which is half of a call's time.
        self._request: Request | None = None
        self._answer = b""
        # What the client was too slow to take of an answer.
        self._rest = b""
        self._failure: OSError | None = None

    async def run(self) -> Begun | None:
        """Until something is to do that is no small call; with the call that is under way then.
        OSError, when the client has gone."""
        self._wait_for_call()
        try:
            await self._wakeup
        finally:
            self._client.on_readable(None)
            self._engine.on_readable(None)
        if self._failure is not None:
            raise self._failure
        await self._client.write(self._rest)
        return self._begun

    def _wait_for_call(self) -> None:
        self._client.on_readable(self._called)
        # It closes the connection, or says what nobody asked for.
        self._engine.on_readable(self._wakeup.come)

    def _called(self) -> None:
        try:
            data = self._client.read_now()
        except OSError as error:
            self._fail(error)
            return
        if data is None:
            self._client.on_readable(self._called)
            return
        request = self._small_request(data)
        sent = self._sent(data) if request is not None and self._untouched(request) else 0
        if request is None or not sent:
            self._client.unread(data)
            self._wakeup.come()
            return
        self._begun = Begun(request, data[sent:])
        if sent < len(data):
            self._wakeup.come()
            return
        self._engine.on_readable(self._answered)
        # It leaves, or has another call already.
        self._client.on_readable(self._wakeup.come)

    def _small_request(self, data: bytes) -> Request | None:
        if self._request is None or self._request.came != data:
            self._request, self._answer = small_request(data), b""
        return self._request

    def _sent(self, data: bytes) -> int:
        """How much of it the engine has; nothing where it has closed the connection."""
        try:
            return self._engine.write_now(data)
        except OSError:
            return 0

    def _answered(self) -> None:
        try:
            data = self._engine.read_now()
        except OSError:  # Told of once; what can be read after it is the end.
            data = b""
        if data is None:
            self._engine.on_readable(self._answered)
            return
        assert self._begun is not None
        if not data or (data != self._answer and not is_small_answer(self._begun.request, data)):
            self._engine.unread(data)
            self._wakeup.come()
            return
        self._begun, self._answer = None, data if len(data) <= KEPT_BYTES else b""
        try:
            self._rest = data[self._client.write_now(data) :]
        except OSError as error:
            self._fail(error)
            return
        if self._rest:
            self._wakeup.come()
        else:
            self._wait_for_call()

    def _fail(self, error: OSError) -> None:
        self._failure = error
        self._wakeup.come()


def small_request(data: bytes) -> Request | None:
    """The request that this is, if it is one as a whole that has no body, nothing follows, and
    another may come after it."""
    try:
        if not data or end_of_head(data) != len(data):
            return None
        request = read_request(data)
        return request if request_body(request).ended and heads.keeps_alive(request) else None
    except (HeadError, FramingError):
        return None  # Whoever reads it again says why.


def is_small_answer(request: Request, data: bytes) -> bool:
    """Whether this is the answer as a whole, nothing follows, and another may come after it."""
    try:
        end = end_of_head(data) if data else 0
        if not end:
            return False
        response = read_response(data[:end])
        if response.status_code < 200 or not heads.keeps_alive(response):
            return False
        body = response_body(request.method, response)
        return body.take(data[end:]) == len(data) - end and body.ended
    except (HeadError, FramingError):
        return False
