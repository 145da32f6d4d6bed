"""Facts about this shell's docker client: where it goes, and who answers there."""

from __future__ import annotations

import grp
import hashlib
import json
import os
import pwd
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec

from waitforweave.attach.options import ENGINE
from waitforweave.docker.url import EngineUrl, parse_engine_url
from waitforweave.doctor.facts import Answer, Client, Socket, Unseen
from waitforweave.proxy.own import PATH

ASK_SECONDS = 5.0
# What Go's net/http, and our proxy, say to who speaks without.
NEEDS_TLS = b"Client sent an HTTP request to an HTTPS server"


class Own(msgspec.Struct):
    """What our proxy says of itself."""

    version: str
    engine: str


def named(environ: Mapping[str, str], home: Path) -> tuple[str, str]:
    """What names the docker client's address, and that address; "" where the context is not
    there. As the client does: DOCKER_HOST, DOCKER_CONTEXT, its configuration, the default."""
    if environ.get("DOCKER_HOST"):
        return "DOCKER_HOST", environ["DOCKER_HOST"]
    folder = Path(environ.get("DOCKER_CONFIG") or home / ".docker")
    context = environ.get("DOCKER_CONTEXT") or text_at(folder / "config.json", "currentContext")
    if context in ("", "default"):
        return "the docker client's default", ENGINE
    key = hashlib.sha256(context.encode()).hexdigest()
    meta = folder / "contexts" / "meta" / key / "meta.json"
    return f"the docker context {context}", text_at(meta, "Endpoints", "docker", "Host")


def text_at(path: Path, *keys: str) -> str:
    """The text under these keys of a file of JSON, "" where it is not there."""
    try:
        value = json.loads(path.read_bytes())
        for key in keys:
            value = value[key]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return value if isinstance(value, str) else ""


async def ask(source: str, text: str) -> Client:
    """Who answers at this address."""
    try:
        url = parse_engine_url(text)
    except ValueError as error:
        if "://" in text and not text.startswith(("unix://", "tcp://")):
            scheme = text.partition("://")[0]
            return Client(source, text, Unseen(f"{scheme}:// is the docker client's own way"))
        return Client(source, text, fault=str(error))
    try:
        answer = await answer_at(url)
    except httpx.HTTPError as error:
        reason = re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__
        return Client(source, text, fault=reason)
    return Client(source, text, answer)


async def answer_at(url: EngineUrl) -> Answer | Unseen:
    """httpx.HTTPError."""
    uds = url.path if url.scheme == "unix" else None
    base = "http://client" if uds else str(url).replace("tcp://", "http://", 1)
    transport = httpx.AsyncHTTPTransport(uds=uds)
    async with httpx.AsyncClient(transport=transport, timeout=ASK_SECONDS) as client:
        response = await client.get(base + PATH)
    if NEEDS_TLS in response.content:
        where = str(url).replace("tcp://", "https://", 1) + PATH
        curl = f"curl --cacert ca.pem --cert cert.pem --key key.pem {where}"
        return Unseen(f"TLS is spoken there; in the folder of certificates type: {curl}")
    try:
        own = msgspec.json.decode(response.content, type=Own)
    except msgspec.MsgspecError:
        return Answer()
    return Answer(own.version, own.engine)


def socket_at(path: Path) -> Socket:
    """The socket's file, and what we may do with it."""
    user = name_of(pwd.getpwuid, os.geteuid())
    try:
        found = path.stat()
    except PermissionError:
        return Socket(str(path), "socket", usable=False, user=user)
    except OSError:
        return Socket(str(path), "absent", user=user)
    return Socket(
        str(path),
        "socket" if stat.S_ISSOCK(found.st_mode) else "other",
        name_of(pwd.getpwuid, found.st_uid),
        name_of(grp.getgrgid, found.st_gid),
        stat.S_IMODE(found.st_mode),
        os.access(path, os.R_OK | os.W_OK),
        user,
    )


def name_of(look_up: Callable[[int], Sequence[Any]], number: int) -> str:
    """A user's or a group's name, its number where it has none."""
    try:
        return str(look_up(number)[0])
    except KeyError:
        return str(number)
