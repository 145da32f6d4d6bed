"""What the hook server of a launch says of itself, wherever it runs."""

from __future__ import annotations

import os
from http import HTTPStatus
from pathlib import Path

import httpx

from waitforweave.docker.engine import Engine, EngineError
from waitforweave.docker.reason import reason_below
from waitforweave.docker.url import parse_engine_url
from waitforweave.launch import on_host
from waitforweave.launch.containers import HOOKS_CONTAINER, HOOKS_URL, PROGRAM, RUN_VOLUME
from waitforweave.launch.settings import LaunchError

STATUS = "/v1/status"
ASK_SECONDS = 30.0
SOCKET_NAME = "hooks.sock"


async def status_of(engine: Engine, url: str) -> bytes:
    """The answer of this launch's server, as JSON. LaunchError: it does not answer."""
    if on_host.recorded(url) is not None:
        return await ask(on_host.Folders.of(url).hooks_url)
    try:
        volume = (await engine.request("GET", f"/volumes/{RUN_VOLUME}")).json()
        socket = Path(volume["Mountpoint"]) / SOCKET_NAME
        # Only for root beside the engine; anybody else is shown in by the engine.
        if os.access(socket, os.W_OK):
            return await ask(f"unix://{socket}")
        return await ask_inside(engine)
    except EngineError as error:
        raise LaunchError(f"no answer from the hook server: {error}") from error


async def ask(url: str) -> bytes:
    """GET /v1/status of the server at this URL. LaunchError."""
    address = parse_engine_url(url)
    uds = address.path if address.scheme == "unix" else None
    base = "http://hooks" if uds else url.replace("tcp://", "http://", 1)
    # Nothing is verified: no authorities are read for it, whatever SSL_CERT_FILE says.
    transport = httpx.AsyncHTTPTransport(uds=uds, verify=False)
    try:
        async with httpx.AsyncClient(transport=transport, timeout=ASK_SECONDS) as client:
            response = await client.get(base + STATUS)
    except httpx.HTTPError as error:
        raise LaunchError(
            f"no answer from the hook server at {url}: {reason_below(error)}"
        ) from error
    if response.status_code != HTTPStatus.OK:
        raise LaunchError(f"who answers at {url} is no hook server: {response.status_code}")
    return response.content


async def ask_inside(engine: Engine) -> bytes:
    """The same, by this very command within the server's container. LaunchError; EngineError."""
    words = [PROGRAM, "status", f"--server={HOOKS_URL}", "--json"]
    # A terminal's bytes come without frames.
    options = {"AttachStdout": True, "Tty": True, "Cmd": words}
    made = await engine.request("POST", f"/containers/{HOOKS_CONTAINER}/exec", json=options)
    path = f"/exec/{made.json()['Id']}"
    said = await engine.request("POST", f"{path}/start", json={"Detach": False, "Tty": True})
    code = (await engine.request("GET", f"{path}/json")).json()["ExitCode"]
    if code != 0:
        raise LaunchError(f"no answer from the hook server: {said.text.strip()}")
    return said.content
