"""The live page's file, and who gets it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from importlib.resources import files
from typing import Any

import httpx
import pytest
from starlette.datastructures import Headers

from tests.unit.hooks.conftest import OPTIONS, Adapter, FakeBackend, FakeEngine, as_backend
from waitforweave.hooks.app import make_app, make_page_app
from waitforweave.hooks.attaching import Attacher
from waitforweave.hooks.live import MOST_CLIENTS, Client
from waitforweave.hooks.page import is_local, policy, refusal
from waitforweave.hooks.watcher import Watcher

HTML = files("waitforweave.hooks").joinpath("page.html").read_text()
PATIENCE_SECONDS = 20


def colors(scheme: str) -> dict[str, str]:
    """The page's variables as they are in one colour scheme."""
    light, dark = re.findall(r":root \{(.*?)\}", HTML, re.DOTALL)
    found = dict(re.findall(r"--([\w-]+): (#\w{6});", light))
    return found if scheme == "light" else found | dict(re.findall(r"--([\w-]+): (#\w{6});", dark))


def luminance(color: str) -> float:
    """WCAG 2, relative luminance."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read(scheme):
    found = colors(scheme)
    on = [(text, back) for text in ("text", "soft") for back in ("page", "card", "hover")]
    on += [(state, f"{state}-back") for state in ("waiting", "ready", "failed", "ended")]
    on += [("text", "failed-back"), ("text", "waiting-back"), ("failed", "page")]
    ratios = {pair: contrast(found[pair[0]], found[pair[1]]) for pair in on}
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < 4.5} == {}
    # What is no text, but has to be seen (WCAG 1.4.11).
    assert min(contrast(found["focus"], found[back]) for back in ("page", "card")) >= 3


def test_contrast_is_measured_as_wcag_does():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_nothing_comes_from_elsewhere():
    assert (
        re.findall(r"https?:|//\w+\.|@import|url\(|<link(?! rel=\"icon\" href=\"data:,\")", HTML)
        == []
    )


def test_nothing_that_a_container_says_becomes_markup():
    assert re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", HTML) == []


def test_the_policy_lets_this_script_and_style_run_and_no_other():
    said = policy(HTML)
    for element in ("script", "style"):
        (text,) = re.findall(f"<{element}>(.*?)</{element}>", HTML, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in said
    assert "default-src 'none'" in said
    assert "unsafe" not in said
    # Which the policy would not let be.
    assert re.findall(r"<\w[^>]* (?:style|on\w+)=", HTML) == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8008",
        "127.1.2.3",
        "[::1]:8008",
        "[::1]",
        "localhost",
        "LOCALHOST:80",
        "hooks",
        "",
    ],
)
def test_a_host_that_is_this_one(host):
    assert is_local(host)


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example:8008",
        "10.2.1.5",
        "127.0.0.1.example",
        "[2001:db8::1]:80",
        "[bad",
        "a.b",
        "x.",
    ],
)
def test_a_host_that_a_strangers_dns_may_lead_here(host):
    assert not is_local(host)


def test_what_is_refused_names_what_is_allowed():
    said = refusal("GET", Headers({"host": "evil.example\n"}))
    assert said == (
        r"host 'evil.example\n': allowed: localhost, a loopback address, a name without a dot"
    )


def called(method: str, path: str, headers: dict[str, str], *, page: bool) -> httpx.Response:
    async def main() -> httpx.Response:
        engine = Adapter(FakeEngine(), FakeBackend()).fake_engine()
        watcher = Watcher(Attacher(engine, as_backend(FakeBackend())))
        app = (make_page_app if page else make_app)(watcher, OPTIONS)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, headers=headers, content=b"{}")

    return asyncio.run(main())


def test_the_page_is_served_as_what_it_is():
    answer = called("GET", "/", {}, page=True)
    assert (answer.status_code, answer.text) == (200, HTML)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == policy(HTML)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_the_page_has_beside_it_what_may_be_read(path):
    assert called("GET", path, {}, page=True).status_code == 200


def test_the_page_has_no_hooks():
    assert called("POST", "/v1/extension", {}, page=True).status_code == 404


@pytest.mark.parametrize("page", [True, False])
@pytest.mark.parametrize("path", ["/", "/v1/events", "/v1/status", "/metrics"])
def test_a_rebound_name_gets_nothing(path, page):
    answer = called("GET", path, {"Host": "rebound.example"}, page=page)
    assert answer.status_code == 403
    assert "rebound.example" in answer.json()["message"]


@pytest.mark.parametrize("origin", ["https://example.org", "null", "http://127.0.0.1:8008"])
def test_no_browser_calls_a_hook(origin):
    answer = called("POST", "/v1/extension", {"Origin": origin}, page=False)
    assert (answer.status_code, answer.json()) == (
        403,
        {"message": "weavewait: a browser may only read here"},
    )


def test_a_proxy_calls_a_hook_as_ever():
    assert called("POST", "/v1/extension", {}, page=False).status_code == 400


def test_more_pages_than_there_may_be_are_told(adapter):
    with adapter.kept():
        adapter.attacher.live.clients = {Client() for _ in range(MOST_CLIENTS)}
        answer = adapter.get("/v1/events")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert (
        answer.json()["message"] == f"weavewait: {MOST_CLIENTS} pages are open already; close one"
    )


def test_a_page_that_is_closed_is_no_client_any_more(adapter):
    """The stream's other side, which httpx's ASGI transport would wait for to end."""
    sent: list[dict[str, Any]] = []

    async def main() -> None:
        attacher = Attacher(adapter.fake_engine(), as_backend(adapter.backend))
        app = make_page_app(Watcher(attacher), OPTIONS)
        first, messages = asyncio.Event(), asyncio.Queue[dict[str, Any]]()
        messages.put_nowait({"type": "http.request"})

        async def send(message: Any) -> None:
            sent.append(message)
            if message.get("body"):
                first.set()

        headers = [(b"host", b"localhost")]
        scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": "/v1/events",
            "headers": headers,
        }
        scope |= {"query_string": b"", "root_path": ""}
        async with asyncio.timeout(PATIENCE_SECONDS):
            call = asyncio.create_task(app(scope, messages.get, send))
            await first.wait()
            assert len(attacher.live.clients) == 1
            messages.put_nowait({"type": "http.disconnect"})
            await call
        assert attacher.live.clients == set()

    asyncio.run(main())
    head = dict(sent[0]["headers"])
    assert (sent[0]["status"], head[b"content-type"]) == (200, b"text/event-stream; charset=utf-8")
    assert sent[1]["body"].startswith(b"retry: 2000\n\nevent: all\ndata: ")
