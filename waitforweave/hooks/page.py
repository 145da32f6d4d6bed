"""The live page and its feed, for a browser: GET / and GET /v1/events, and who may ask at all.

A browser lets any page of the web call what listens on this host. So a name that some stranger's
DNS may lead here is refused (DNS rebinding), and so is a hook's call that a browser makes.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
from importlib.resources import files
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from waitforweave.hooks.live import MOST_CLIENTS, Live

PAGE = "page.html"
# Whoever asks for anything else than our own file's parts, or shows us in a frame, is not us.
POLICY = (
    "default-src 'none'; script-src {script}; style-src {style}; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
RETRY_SECONDS = 5


def page_routes(live: Live) -> list[Route]:
    content = files(__package__).joinpath(PAGE).read_bytes()
    headers = {**SAFE, "Content-Security-Policy": policy(content.decode())}

    async def page(_request: Request) -> Response:
        return Response(content, media_type="text/html; charset=utf-8", headers=headers)

    async def events(_request: Request) -> Response:
        if live.full:
            message = f"weavewait: {MOST_CLIENTS} pages are open already; close one"
            return JSONResponse({"message": message}, 503, {"Retry-After": str(RETRY_SECONDS)})
        return StreamingResponse(live.stream(), media_type="text/event-stream", headers=SAFE)

    return [Route("/", page), Route("/v1/events", events)]


def policy(page: str) -> str:
    """The Content-Security-Policy that lets this page's own script and style run, and no other."""
    return POLICY.format(script=hash_of(page, "script"), style=hash_of(page, "style"))


def hash_of(page: str, element: str) -> str:
    """Of the text of the page's only such element."""
    (text,) = re.findall(f"<{element}>(.*?)</{element}>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


class Guarded:
    """An application before which no stranger's page gets."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reason = refusal(scope["method"], Headers(scope=scope)) if scope["type"] == "http" else None
        if reason is None:
            await self.app(scope, receive, send)
            return
        response = JSONResponse({"message": f"weavewait: {reason}"}, 403)
        await response(scope, receive, send)


def refusal(method: str, headers: Headers) -> str | None:
    """Why this call is none that a person or a proxy of this host made; None: it may be one."""
    host = headers.get("host", "")
    if not is_local(host):
        return f"host {host!a}: allowed: localhost, a loopback address, a name without a dot"
    if method not in ("GET", "HEAD") and "origin" in headers:
        return "a browser may only read here"
    return None


def is_local(host: str) -> bool:
    """Whether a Host header names this host by what no stranger's DNS can lead here."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        # A name without a dot is nobody's domain: "hooks", as clients of a unix socket say.
        return "." not in name
