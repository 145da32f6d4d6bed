"""The server's HTTP side: POST /v1/extension for the proxy, the rest for who runs it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from waitforweave import __version__
from waitforweave.docker.engine import EngineError
from waitforweave.docker.paths import is_create, is_inspect
from waitforweave.hooks.create_hook import CreateHook
from waitforweave.hooks.exec_hook import ExecHook
from waitforweave.hooks.inspect_hook import InspectHook
from waitforweave.hooks.metrics import CONTENT_TYPE_LATEST
from waitforweave.hooks.options import Options
from waitforweave.hooks.page import Guarded, page_routes
from waitforweave.hooks.protocol import (
    Call,
    ClientRequest,
    HookError,
    ServerResponse,
    answer,
    decode,
)
from waitforweave.hooks.start_hook import StartHook
from waitforweave.hooks.status import Answer, rows
from waitforweave.hooks.watcher import Watcher

# A body of containers/create is a few KB; its proxy bounds it too.
BODY_BYTES = 32 * 1024 * 1024
BODY_SECONDS = 30.0


@dataclass(frozen=True)
class Adapter:
    """Which hook answers which call; a call that is none of ours goes on as it came."""

    create: CreateHook
    start: StartHook
    exec: ExecHook
    inspect: InspectHook
    options: Options

    async def __call__(self, call: Call) -> ClientRequest | ServerResponse:
        request = call.ClientRequest
        if call.ServerResponse is not None and call.Type == "post-hook":
            if request.Method != "GET":
                return await self.start(request, call.ServerResponse)
            if self.options.show_addresses and is_inspect(request.Request):
                return self.inspect(call.ServerResponse)
            return call.ServerResponse
        if request.Method == "POST" and is_create(request.Request):
            return await self.create(request)
        if request.Method == "POST" and self.options.hold_exec:
            return await self.exec(request)
        return request


def make_app(watcher: Watcher, options: Options) -> Starlette:
    """The ASGI application of `weavewait serve`: the hooks, and all that may be read."""
    attacher, metrics = watcher.attacher, watcher.metrics
    create = CreateHook(attacher.engine, options, metrics.creates)
    start, held = StartHook(attacher), ExecHook(attacher.engine)
    adapter = Adapter(create, start, held, InspectHook(attacher.book), options)

    async def extension(request: Request) -> Response:
        try:
            result = await adapter(decode(await bounded_body(request)))
        except ClientDisconnect:
            raise
        except Exception:
            metrics.errors.labels("hook").inc()
            raise
        return Response(answer(result), media_type="application/json")

    return application(
        [Route("/v1/extension", extension, methods=["POST"]), *reading_routes(watcher, options)]
    )


def make_page_app(watcher: Watcher, options: Options) -> Starlette:
    """What a browser may have: nothing that changes anything."""
    return application(reading_routes(watcher, options))


def application(routes: list[Route]) -> Starlette:
    handlers = {HookError: refused, ClientDisconnect: gone, Exception: failed}
    return Starlette(routes=routes, exception_handlers=handlers, middleware=[Middleware(Guarded)])


def reading_routes(watcher: Watcher, options: Options) -> list[Route]:
    """The page, its feed, the status, and what health_routes gives."""
    attacher = watcher.attacher

    async def status(_request: Request) -> Response:
        try:
            found = await rows(attacher, options.backend)
        except EngineError as error:
            return JSONResponse({"message": f"weavewait: {error}"}, error.status or 502)
        said = Answer(containers=found, version=__version__, following=watcher.connected)
        return Response(msgspec.json.encode(said), media_type="application/json")

    return [Route("/v1/status", status), *page_routes(attacher.live), *health_routes(watcher)]


def health_routes(watcher: Watcher) -> list[Route]:
    """For who runs it: is it there, does it do its work, and how well."""

    async def health(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(_request: Request) -> Response:
        if watcher.connected:
            return PlainTextResponse("ok\n")
        return PlainTextResponse("the engine's events are not followed\n", 503)

    async def metrics(_request: Request) -> Response:
        return Response(watcher.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [Route("/healthz", health), Route("/readyz", ready), Route("/metrics", metrics)]


def refused(_request: Request, error: Exception) -> Response:
    """Docker's error form: what its client prints after "Error response from daemon:"."""
    assert isinstance(error, HookError)
    return JSONResponse({"message": error.message}, error.status)


def gone(_request: Request, _error: Exception) -> Response:
    """Whoever called went away within its own body: nothing was done, and nobody reads this."""
    return Response(status_code=400)


def failed(_request: Request, error: Exception) -> Response:
    """A fault of our own; uvicorn logs its traceback."""
    message = f"weavewait: internal error: {type(error).__name__}; see the hook server's log"
    return JSONResponse({"message": message}, 500)


async def bounded_body(request: Request) -> bytes:
    """The whole body. HookError 413 past BODY_BYTES, 408 past BODY_SECONDS."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > BODY_BYTES:
                    limit = f"at most {BODY_BYTES} bytes"
                    raise HookError(413, f"weavewait: a hook's body has {limit}")
    except TimeoutError as error:
        message = f"weavewait: a hook's body did not end within {BODY_SECONDS:g} s"
        raise HookError(408, message) from error
    return bytes(body)
