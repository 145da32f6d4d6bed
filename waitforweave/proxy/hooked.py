"""A call that adapters are called around: they see whole bodies, and may change them."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

from waitforweave.docker.paths import (
    VERSION,
    exec_container,
    is_create,
    path_of,
    started_container,
)
from waitforweave.proxy import heads
from waitforweave.proxy.chain import Adapters
from waitforweave.proxy.exchange import Exchange
from waitforweave.proxy.framing import (
    BODILESS,
    Body,
    FramingError,
    Length,
    UntilClose,
    content_of,
    response_body,
)
from waitforweave.proxy.heads import Request, Response
from waitforweave.proxy.matching import Hooks
from waitforweave.proxy.protocol import ClientRequest, ServerResponse
from waitforweave.proxy.refusal import phrase, refusal
from waitforweave.proxy.relay import whole
from waitforweave.proxy.wire import Wire

log = logging.getLogger(__name__)

# A body that adapters see is held in memory; a create's is a few KB.
HOOKED_BYTES = 16 * 1024 * 1024
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# JSON, but told piece by piece: progress, events, or the head early and the body when a container
# ends (`docker run` starts it only when it has wait's head). Waiting for its end would be wrong.
JSON_STREAM = re.compile(
    VERSION + r"(?:/libpod)?/(?:events|build|images/create|images/load|images/.+/push|plugins/pull"
    r"|plugins/.+/(?:push|upgrade)|containers/.+/(?:stats|wait))"
)


@dataclass
class Bytes:
    """A body in memory: as it came, its framing included, and what it holds."""

    framed: bytes
    content: bytes
    until_close: bool = False


def is_hookable(request: Request, body: Body) -> bool:
    """JSON, no body at all, or one whose type nobody looks at; a tar or a raw stream passes
    without hooks."""
    if heads.is_json(request) or (isinstance(body, Length) and body.ended):
        return True
    # These an engine takes whatever their body's type: start looks at none below 8 bytes, restart
    # at none at all (moby: postContainersStart, postContainersRestart), and podman decodes a
    # create and an exec without a look at it (pkg/api/handlers/compat: CreateContainer,
    # ExecCreateHandler). `curl -d '{}'` sends it as a form.
    target = heads.target_of(request)
    names = started_container(target), exec_container(target)
    return is_create(target) or names != (None, None)


def is_waited_for(exchange: Exchange, response: Response) -> bool:
    """Whether adapters get this answer: all of it comes at once, as JSON or nothing."""
    path = path_of(heads.target_of(exchange.request))
    if response.status_code == 101 or JSON_STREAM.fullmatch(path):
        return False
    return heads.is_json(response) or (
        response.status_code in BODILESS or heads.value_of(response, b"content-length") == b"0"
    )


async def run(exchange: Exchange, hooks: Hooks, adapters: Adapters) -> bool:
    """The call with its hooks; the rest as Exchange.run.

    Not ended by a client that goes away: what is started shall be attached, whoever waits for it.
    """
    request = exchange.request
    body = await request_content(exchange)
    text = text_of(body.content, 400, "the body")
    sent = ClientRequest(request.method.decode(), heads.target_of(request), text)
    call = await adapters.before(hooks.pre, sent)
    engine = await exchange.connect()
    try:
        await engine.write(encode_request(request, sent, call, body))
    except OSError as error:
        # Its answer, if there is one, says why it has not read all.
        log.debug("the engine reads no further: %s", error)
    response = await exchange.response(engine)
    if not hooks.post or not is_waited_for(exchange, response):
        return await exchange.finish(engine, response)
    answer = await response_content(exchange, engine, response)
    text = text_of(answer.content, 502, "the engine's answer")
    kind = heads.text_of(response, b"content-type")
    before = ServerResponse(kind, text, response.status_code)
    after = await adapters.after(hooks.post, call, before)
    exchange.answered = exchange.uploaded = True
    await exchange.client.write(encode_response(request, response, before, after, answer))
    return exchange.may_go_on(response) and not answer.until_close


async def request_content(exchange: Exchange) -> Bytes:
    """All of the request's body. Refusal 413 past HOOKED_BYTES."""
    # As net/http, also to a client that has not waited for it.
    if heads.expects_continue(exchange.request) and not exchange.body.ended:
        await exchange.client.write(CONTINUE)
    framed = await whole(exchange.client, exchange.body, HOOKED_BYTES)
    if framed is None:
        raise refusal(413, f"a body for adapters has at most {HOOKED_BYTES} bytes")
    return Bytes(framed, content_of(exchange.body, framed))


async def response_content(exchange: Exchange, engine: Wire, response: Response) -> Bytes:
    """All of the answer's body. Refusal 502 where it is too long or no body."""
    try:
        body = response_body(exchange.request.method, response)
        framed = await whole(engine, body, HOOKED_BYTES)
    except (FramingError, OSError) as error:
        raise refusal(502, f"the engine's answer is cut or has no clear end: {error}") from error
    if framed is None:
        raise refusal(502, f"an answer for adapters has at most {HOOKED_BYTES} bytes")
    return Bytes(framed, content_of(body, framed), isinstance(body, UntilClose))


def encode_request(
    request: Request, sent: ClientRequest, call: ClientRequest, body: Bytes
) -> bytes:
    """What the adapters have left; byte for byte where they have changed nothing."""
    headers, content = heads.raw(request), body.framed
    if heads.expects_continue(request):
        # Answered by us. Any other expectation is the engine's to refuse.
        headers = [header for header in headers if header[0].lower() != b"expect"]
    if (call.Body or "") != (sent.Body or ""):
        content = (call.Body or "").encode()
        headers = heads.with_length(headers, len(content))
    target = request.target if call.Request == sent.Request else call.Request.encode()
    return heads.encode(heads.request_line(request, target), headers) + content


def encode_response(
    request: Request,
    response: Response,
    before: ServerResponse,
    after: ServerResponse,
    body: Bytes,
) -> bytes:
    """The engine's answer with what the adapters have changed: status, type, body."""
    if after == before:
        return response.came + body.framed
    headers, content = heads.raw(response), (after.Body or "").encode()
    if after.Code in BODILESS or request.method == b"HEAD":
        content = b""
    if request.method != b"HEAD":
        headers = heads.with_length(headers, None if after.Code in BODILESS else len(content))
    if after.ContentType and after.ContentType != before.ContentType:
        headers = heads.with_type(headers, after.ContentType)
    reason = response.reason if after.Code == before.Code else phrase(after.Code)
    return heads.encode(heads.status_line(response, after.Code, reason), headers) + content


def text_of(content: bytes, status: int, what: str) -> str | None:
    """The body as the protocol carries it: text, null for none. Refusal for `what` is no text."""
    try:
        return content.decode() or None
    except UnicodeDecodeError as error:
        raise refusal(status, f"{what} is no UTF-8: {error}") from error
