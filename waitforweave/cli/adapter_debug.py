"""`weavewait adapter-debug`: a Powerstrip adapter that shows each hook, and changes nothing."""

from __future__ import annotations

import asyncio
import json
import signal
import socket

import click
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from waitforweave.cli.errors import told
from waitforweave.cli.listening import listening
from waitforweave.cli.options import URL
from waitforweave.cli.serving import Server, log_to_stderr, printable
from waitforweave.hooks.protocol import Call, HookError, answer, decode


@click.command(short_help="An adapter that shows each hook, and changes none.")
@click.option(
    "--listen",
    type=URL,
    default="unix:///run/weavewait/debug.sock",
    show_default=True,
    help="Where the proxy finds this adapter, at any path. TCP only on loopback.",
)
@click.option("--pretty", is_flag=True, help="Bodies below their line, indented.")
def command(listen: str, pretty: bool) -> None:
    """Say on stdout what a proxy's hooks are, a line each.

    The line begins with the path at which the hook came: an adapters.yml that names this adapter
    by several paths sees what another one in between has changed. Bodies may hold secrets.
    Ends on TERM or INT with exit code 0.
    """
    log_to_stderr("adapter-debug")
    with told("adapter-debug"), listening(listen) as listener:
        asyncio.run(serve(listener, listen, pretty=pretty))


async def serve(listener: socket.socket, url: str, *, pretty: bool) -> None:
    """Serve until TERM or INT, which uvicorn raises again when it has ended."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    await Server(make_app(pretty=pretty), "adapter-debug", url).serve([listener])


def make_app(*, pretty: bool) -> Starlette:
    async def hook(request: Request) -> Response:
        try:
            call = decode(await request.body())
        except HookError as error:
            return JSONResponse({"message": error.message}, error.status)
        click.echo(shown(request.url.path, call, pretty=pretty))
        result = call.ClientRequest if call.Type == "pre-hook" else call.ServerResponse
        assert result is not None
        return Response(answer(result), media_type="application/json")

    return Starlette(routes=[Route("/{path:path}", hook, methods=["POST"])])


def shown(path: str, call: Call, *, pretty: bool) -> str:
    """What a person reads: which hook, at which path, of which call, and the body that it is
    about; a post-hook's is the engine's answer."""
    request, response = call.ClientRequest, call.ServerResponse
    words = [path, call.Type, request.Method, request.Request]
    body = request.Body
    if call.Type == "post-hook" and response is not None:
        words += ["->", str(response.Code), response.ContentType or ""]
        body = response.Body
    line = printable(" ".join(filter(None, words)))
    if not body:
        return line
    return f"{line}\n{indented(body)}" if pretty else f"{line} {printable(body.strip())}"


def indented(body: str) -> str:
    """The body as JSON over several lines; on one, if it is none."""
    try:
        lines = json.dumps(json.loads(body), indent=2, ensure_ascii=False).split("\n")
    except (ValueError, RecursionError):
        lines = [body.strip()]
    return "\n".join(f"    {printable(line)}" for line in lines)
