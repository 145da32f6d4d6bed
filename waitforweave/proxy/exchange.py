"""One call that passes untouched: request and answer flow beside each other, byte for byte."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from waitforweave.proxy import heads
from waitforweave.proxy.beside import Beside
from waitforweave.proxy.framing import Body, FramingError, UntilClose, response_body
from waitforweave.proxy.heads import Request, Response
from waitforweave.proxy.parsing import HeadError, read_response
from waitforweave.proxy.refusal import refusal
from waitforweave.proxy.relay import relay
from waitforweave.proxy.upgrade import hijacks, splice
from waitforweave.proxy.wire import Wire

log = logging.getLogger(__name__)


@dataclass
class Exchange:
    """A request of `client` whose head has been read, and the way to the engine.

    What a call returns is whether the connections can carry another one. Refusal, as long as the
    client has not been `answered`; then OSError and FramingError, which end the connection.
    """

    client: Wire
    connect: Callable[[], Awaitable[Wire]]
    request: Request
    body: Body
    answered: bool = False
    uploaded: bool = False

    async def run(self) -> bool:
        """The call, to the end of its answer."""
        return await self.go_on(await self.connect(), self.request.came)

    async def go_on(self, engine: Wire, unsent: bytes) -> bool:
        """The same over a connection that has all of the head but what is `unsent`."""
        async with Beside() as beside:
            if self.body.ended:
                await self._send(engine, unsent)
                self._watch(engine, beside)
            else:
                beside.start(self._upload(engine, unsent))
            response = await self.response(engine)
            return await self._pass_on(engine, response, beside)

    async def finish(self, engine: Wire, response: Response) -> bool:
        """The answer, to its end, where all of the request is with the engine already."""
        self.uploaded = True
        async with Beside() as beside:
            self._watch(engine, beside)
            return await self._pass_on(engine, response, beside)

    async def response(self, engine: Wire) -> Response:
        """The answer's head, past interim ones, which the client gets too. Refusal."""
        while True:
            response = await self._head(engine)
            if response.status_code >= 200 or response.status_code == 101:
                return response
            with suppress(OSError):  # That it has gone is for others to see: a hooked call goes on.
                await self.client.write(response.came)

    async def _head(self, engine: Wire) -> Response:
        try:
            response = await engine.head(read_response)
        except (HeadError, OSError) as error:
            raise refusal(502, f"the engine gave no answer: {error}") from error
        if response is None:
            raise refusal(502, "the engine gave no answer: it closed the connection")
        return response

    async def _pass_on(self, engine: Wire, response: Response, beside: Beside) -> bool:
        """What follows an answer's head, and the head itself: a body, or a stream both ways."""
        if hijacks(self.request, response):
            # What the client says from here on is the stream's.
            await beside.stop()
            self.answered = True
            await splice(self.client, engine, response)
            return False
        try:
            body = response_body(self.request.method, response)
        except FramingError as error:
            raise refusal(502, f"the engine's answer has no clear end: {error}") from error
        self.answered = True
        try:
            await relay(engine, self.client, body, response.came)
        except OSError:
            if engine.broken and isinstance(body, UntilClose):
                self.client.break_off()
            raise
        return self.may_go_on(response) and not isinstance(body, UntilClose)

    def may_go_on(self, response: Response) -> bool:
        """Whether nothing of this call is under way and both sides want another."""
        both = (self.request, response)
        return self.uploaded and all(heads.keeps_alive(head) for head in both)

    async def _send(self, engine: Wire, unsent: bytes) -> None:
        """The request to its end, or as far as the engine reads it; its head is `unsent`."""
        try:
            await relay(self.client, engine, self.body, unsent)
            self.uploaded = True
        except OSError as error:
            # The engine reads no further, or the client was cut off: the engine's answer to that
            # is the client's answer.
            log.debug("request not sent to its end: %s", error)
            engine.write_eof()

    async def _upload(self, engine: Wire, unsent: bytes) -> None:
        await self._send(engine, unsent)
        await self._leave_with_client(engine)

    def _watch(self, engine: Wire, beside: Beside) -> None:
        """A client that goes shall take its call along. A quiet stream (logs -f, events) writes
        nothing that could fail."""
        beside.start_when_readable(self.client, lambda: self._leave_with_client(engine))

    async def _leave_with_client(self, engine: Wire) -> None:
        """Ends quietly when the client goes on with its next call; ConnectionError if it is gone.

        The engine gets the end of file as it would have without us: net/http takes it as the
        client's leaving.
        """
        if await self.client.ended():
            engine.write_eof()
            await self.client.hung_up()
            raise ConnectionResetError("the client has gone")
