"""One call: from the client's head to the end of the answer, adapters around it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import h11

from waitforweave.docker.url import EngineUrl
from waitforweave.proxy import upgrade
from waitforweave.proxy.adapters import Endpoint
from waitforweave.proxy.chain import Adapters, Refusal, refusal
from waitforweave.proxy.hangup import hangup_cancels
from waitforweave.proxy.matching import Hooks, match
from waitforweave.proxy.protocol import ClientRequest, ServerResponse
from waitforweave.proxy.wire import Wire, connect, is_json, raw, value_of, with_body, with_type

log = logging.getLogger(__name__)

# A body that adapters see is held in memory; a create's is a few KB.
HOOKED_BYTES = 16 * 1024 * 1024


@dataclass
class Proxy:
    """What all connections share."""

    engine: EngineUrl
    endpoints: Sequence[Endpoint]
    adapters: Adapters

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """All calls of one client's connection, each over the same connection to the engine."""
        client = Wire(reader, writer, h11.SERVER)
        engine: Wire | None = None
        try:
            while isinstance(request := await client.receive(), h11.Request):
                engine = await self.fresh(engine)
                await Call(self, client, engine, request).run()
                if not client.reusable():
                    break
                client.http.start_next_cycle()
        except Refusal as refused:
            await answer(client, refused)
        except h11.RemoteProtocolError as error:
            await answer(client, refusal(error.error_status_hint, f"weavewait proxy: {error}"))
        except (OSError, h11.LocalProtocolError) as error:
            log.debug("connection ended: %s", error)
        except BaseExceptionGroup as group:
            if group.split((OSError, asyncio.CancelledError))[1] is not None:
                raise
        finally:
            for wire in (client, engine):
                if wire is not None:
                    wire.close()

    async def fresh(self, engine: Wire | None) -> Wire:
        """The connection to the engine, made anew where the old one cannot be used. Refusal."""
        if engine is not None and engine.reusable() and not engine.stale():
            engine.http.start_next_cycle()
            return engine
        if engine is not None:
            engine.close()
        try:
            return await connect(self.engine)
        except OSError as error:
            message = f"the engine at {self.engine} cannot be reached: {error.strerror or error}"
            raise refusal(502, f"weavewait proxy: {message}") from error


@dataclass
class Call:
    """One request and its answer."""

    proxy: Proxy
    client: Wire
    engine: Wire
    request: h11.Request

    async def run(self) -> None:
        method, target = self.request.method.decode(), self.request.target.decode()
        hooks = match(self.proxy.endpoints, method, target)
        if hooks and self.has_hookable_body():
            log.info("%s %s matches %s", method, target, ", ".join(map(repr, hooks.patterns)))
            await self.run_hooked(hooks)
            return
        with hangup_cancels(self.client):
            await self.run_streamed()

    def has_hookable_body(self) -> bool:
        """JSON, or no body at all; a tar or a raw stream passes without hooks."""
        headers = raw(self.request.headers)
        chunked = value_of(headers, b"transfer-encoding") is not None
        length = value_of(headers, b"content-length") or b"0"
        return is_json(headers) or not (chunked or int(length))

    async def run_streamed(self) -> None:
        """Request and answer flow beside each other: an answer may come before all is read."""
        await self.engine.send(self.request)
        upload = asyncio.create_task(self.upload())
        try:
            await self.download()
        finally:
            upload.cancel()
            await asyncio.wait([upload])
        if not upload.cancelled():
            upload.result()

    async def upload(self) -> None:
        """The request's body, as it comes, to its end."""
        while True:
            event = await self.client.receive()
            if not isinstance(event, h11.Data | h11.EndOfMessage):
                return
            await self.engine.send(event)
            if isinstance(event, h11.EndOfMessage):
                return

    async def download(self) -> None:
        """The answer, as it comes: head at once, body, trailers; or the end of HTTP."""
        while True:
            event = await self.engine.receive()
            if isinstance(event, h11.InformationalResponse) and event.status_code == 101:
                await upgrade.splice(self.client, self.engine, event)
                return
            if isinstance(event, h11.Response) and upgrade.hijacks(
                self.request.method, self.request.target, event
            ):
                await upgrade.splice(self.client, self.engine, event)
                return
            if not isinstance(
                event, h11.InformationalResponse | h11.Response | h11.Data | h11.EndOfMessage
            ):
                raise ConnectionResetError("the engine has closed the connection")
            await self.client.send(event)
            if isinstance(event, h11.EndOfMessage):
                return

    async def run_hooked(self, hooks: Hooks) -> None:
        """The adapters see whole bodies. Not ended by a client that goes: what is started shall
        be attached, whoever still waits for it. Refusal."""
        if self.client.http.they_are_waiting_for_100_continue:
            await self.client.send(h11.InformationalResponse(status_code=100, headers=[]))
        body = await whole_body(self.client)
        sent = ClientRequest(
            self.request.method.decode(), self.request.target.decode(), text_of(body)
        )
        call = await self.proxy.adapters.before(hooks.pre, sent)
        await self.send_hooked(sent, call, body)
        await self.answer_hooked(hooks, call)

    async def send_hooked(self, sent: ClientRequest, call: ClientRequest, body: bytes) -> None:
        """What the adapters have left; byte for byte where they have changed nothing."""
        headers = raw(self.request.headers)
        if call.Body != sent.Body:
            body = (call.Body or "").encode()
            headers = with_body(headers, len(body))
        request = h11.Request(
            method=call.Method, target=call.Request, headers=headers, http_version=b"1.1"
        )
        await self.engine.send(request)
        if body:
            await self.engine.send(h11.Data(data=body))
        await self.engine.send(h11.EndOfMessage())

    async def answer_hooked(self, hooks: Hooks, call: ClientRequest) -> None:
        """The engine's answer, an error too, through the post-hooks; a stream passes without."""
        response = await self.engine.receive()
        while isinstance(response, h11.InformationalResponse) and response.status_code != 101:
            response = await self.engine.receive()
        if not isinstance(response, h11.Response):
            raise refusal(502, f"weavewait proxy: no answer from the engine at {self.proxy.engine}")
        headers = raw(response.headers)
        if not hooks.post or not (is_json(headers) or bodiless(response)):
            await self.client.send(response)
            await self.download()
            return
        body = await whole_body(self.engine)
        kind = (value_of(headers, b"content-type") or b"").decode("latin-1") or None
        before = ServerResponse(kind, text_of(body), response.status_code)
        after = await self.proxy.adapters.after(hooks.post, call, before)
        await self.client.send(modified(response, before, after))
        content = body if after.Body == before.Body else (after.Body or "").encode()
        if content:
            await self.client.send(h11.Data(data=content))
        await self.client.send(h11.EndOfMessage())


def bodiless(response: h11.Response) -> bool:
    return (
        response.status_code in (204, 304)
        or value_of(raw(response.headers), b"content-length") == b"0"
    )


def modified(response: h11.Response, before: ServerResponse, after: ServerResponse) -> h11.Response:
    """The engine's head with what the adapters have changed: status, type, length."""
    if after == before:
        return response
    headers = raw(response.headers)
    if after.Code not in (204, 304):
        headers = with_body(headers, len((after.Body or "").encode()))
    if after.ContentType and after.ContentType != before.ContentType:
        headers = with_type(headers, after.ContentType)
    reason = response.reason if after.Code == before.Code else b""
    return h11.Response(status_code=after.Code, headers=headers, reason=reason)


async def whole_body(wire: Wire) -> bytes:
    """All of the body that comes now. Refusal 413 past HOOKED_BYTES."""
    body = bytearray()
    while isinstance(event := await wire.receive(), h11.Data):
        body += event.data
        if len(body) > HOOKED_BYTES:
            raise refusal(413, f"weavewait proxy: a hooked body has at most {HOOKED_BYTES} bytes")
    if not isinstance(event, h11.EndOfMessage):
        raise ConnectionResetError("the connection ended in a body")
    return bytes(body)


def text_of(body: bytes) -> str | None:
    """The body as the protocol carries it: text, null for none. Refusal for what is no text."""
    try:
        return body.decode() or None
    except UnicodeDecodeError as error:
        raise refusal(400, f"weavewait proxy: the body is no UTF-8: {error}") from error


async def answer(client: Wire, refused: Refusal) -> None:
    """Send it, if an answer can still be sent, and leave the rest of the connection."""
    if client.http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
        return
    headers = [
        (b"Content-Type", refused.content_type.encode()),
        (b"Content-Length", str(len(refused.body)).encode()),
        (b"Connection", b"close"),
    ]
    try:
        await client.send(h11.Response(status_code=refused.code, headers=headers))
        await client.send(h11.Data(data=refused.body))
        await client.send(h11.EndOfMessage())
    except (OSError, h11.LocalProtocolError) as error:
        log.debug("no answer could be sent: %s", error)
