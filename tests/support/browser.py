"""Headless Chromium by chromedriver: the few calls of W3C WebDriver that the page's tests need."""

from __future__ import annotations

import base64
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

# root has no sandbox, a container little /dev/shm; and nothing is asked of anybody outside.
ARGUMENTS = [
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--no-first-run", "--disable-quic", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--hide-scrollbars"),
    "--force-device-scale-factor=1",
]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
STARTED = "started successfully on port "
PATIENCE_SECONDS = 20.0
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Right": "\ue014"}


class Browser:
    """One window of one session."""

    def __init__(self, client: httpx.Client, session: str) -> None:
        self._client = client
        self._session = session

    def ask(self, method: str, path: str, **body: Any) -> Any:
        answer = self._client.request(
            method, f"/session/{self._session}{path}", json=body if method == "POST" else None
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]

    def cdp(self, command: str, **params: Any) -> Any:
        return self.ask("POST", "/goog/cdp/execute", cmd=command, params=params)

    def go(self, url: str) -> None:
        self.ask("POST", "/url", url=url)

    def run(self, script: str, *arguments: Any) -> Any:
        """The value of a function's body."""
        return self.ask("POST", "/execute/sync", script=script, args=list(arguments))

    def texts(self, selector: str) -> list[str]:
        """Of all that are not hidden, be they scrolled out of sight."""
        script = (
            "return [...document.querySelectorAll(arguments[0])]"
            ".filter(e => e.checkVisibility()).map(e => e.textContent)"
        )
        found: list[str] = self.run(script, selector)
        return found

    def until(self, holds: Callable[[], object]) -> None:
        """The test's own patience; what it waits for is the page's doing."""
        deadline, pause = time.monotonic() + PATIENCE_SECONDS, threading.Event()
        while not holds():
            assert time.monotonic() < deadline, self.run("return document.body.innerText")
            pause.wait(0.02)

    def press(self, *keys: str) -> None:
        """One after the other, by names of KEYS or as they are."""
        actions = [
            {"type": kind, "value": KEYS.get(key, key)}
            for key in keys
            for kind in ("keyDown", "keyUp")
        ]
        source = {"type": "key", "id": "keys", "actions": actions}
        self.ask("POST", "/actions", actions=[source])

    def look(self, *, dark: bool = False, width: int = 1100, height: int = 760) -> None:
        """A window of this size, for a person who likes it light or dark."""
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.cdp("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.ask("GET", "/screenshot")))


@contextmanager
def chromium() -> Iterator[Browser]:
    """A fresh browser with an empty profile; gone with the block."""
    with tempfile.TemporaryDirectory(prefix="wfw-chromium-") as profile, driver() as url:
        options = {"args": [*ARGUMENTS, f"--user-data-dir={profile}"]}
        capabilities = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            answer = client.post("/session", json={"capabilities": capabilities})
            assert answer.status_code == 200, answer.text
            session = answer.json()["value"]["sessionId"]
            try:
                yield Browser(client, session)
            finally:
                client.delete(f"/session/{session}")


@contextmanager
def driver() -> Iterator[str]:
    """chromedriver on a port of its own choice."""
    process = subprocess.Popen(
        ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    try:
        port = ""
        for line in process.stdout:
            if STARTED in line:
                port = line.split(STARTED)[1].strip().rstrip(".")
                break
        assert port, "chromedriver did not start"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate()
