"""Facts about this shell's docker client: where it goes, and who answers there."""

from __future__ import annotations

import grp
import hashlib
import json
import os
import pwd
import ssl
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec

from waitforweave.attach.options import ENGINE
from waitforweave.docker.certificates import Certificates, of_context, of_environment
from waitforweave.docker.engine import FAILURES
from waitforweave.docker.reason import NEEDS_TLS, reason_below
from waitforweave.docker.url import EngineUrl, parse_engine_url
from waitforweave.doctor.facts import Answer, Client, Socket, Unseen
from waitforweave.proxy.certificates import CertificateError, engine_context
from waitforweave.proxy.own import PATH

ASK_SECONDS = 5.0


class Own(msgspec.Struct):
    """What our proxy says of itself."""

    version: str
    engine: str


@dataclass(frozen=True)
class Named:
    """What names the docker client's address, that address, "" where the context is not there,
    and with which certificates it speaks TLS on TCP."""

    source: str
    url: str
    certificates: Certificates | None = None


def named(environ: Mapping[str, str], home: Path) -> Named:
    """As the client does: DOCKER_HOST, DOCKER_CONTEXT, its configuration, the default."""
    if environ.get("DOCKER_HOST"):
        return Named("DOCKER_HOST", environ["DOCKER_HOST"], of_environment(environ))
    folder = Path(environ.get("DOCKER_CONFIG") or home / ".docker")
    context = environ.get("DOCKER_CONTEXT") or text_at(folder / "config.json", "currentContext")
    if context in ("", "default"):
        return Named("the docker client's default", ENGINE)
    # One that is no UTF-8 is nobody's.
    key = hashlib.sha256(context.encode(errors="replace")).hexdigest()
    meta = folder / "contexts" / "meta" / key / "meta.json"
    verify = value_at(meta, "Endpoints", "docker", "SkipTLSVerify") is not True
    return Named(
        f"the docker context {context}",
        text_at(meta, "Endpoints", "docker", "Host"),
        of_context(folder, key, verify=verify),
    )


def text_at(path: Path, *keys: str) -> str:
    """The text under these keys of a file of JSON, "" where it is not there."""
    value = value_at(path, *keys)
    return value if isinstance(value, str) else ""


def value_at(path: Path, *keys: str) -> object:
    try:
        value = json.loads(path.read_bytes())
        for key in keys:
            value = value[key]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return value


async def ask(named: Named) -> Client:
    """Who answers at this address."""
    source, text = named.source, named.url
    try:
        url = parse_engine_url(text)
    except ValueError as error:
        if "://" in text and not text.startswith(("unix://", "tcp://")):
            scheme = text.partition("://")[0]
            return Client(source, text, Unseen(f"{scheme}:// is the docker client's own way"))
        return Client(source, text, fault=str(error))
    try:
        response = await response_at(url, named.certificates)
    except CertificateError as error:
        return Client(source, text, fault=f"TLS: {error}")
    except FAILURES as error:
        return Client(source, text, fault=reason_below(error))
    if NEEDS_TLS.encode() in response.content:
        return Client(source, text, fault=f"TLS: {NEEDS_TLS}")
    return Client(source, text, answer_of(response))


async def response_at(url: EngineUrl, certificates: Certificates | None) -> httpx.Response:
    """CertificateError, and what a call fails with."""
    tls: ssl.SSLContext | bool = False
    base = "http://client"
    uds = url.path if url.scheme == "unix" else None
    if uds is None and certificates is not None:
        tls = engine_context(certificates.folder, verify=certificates.verify)
    if uds is None:
        base = str(url).replace("tcp://", "https://" if tls else "http://", 1)
    transport = httpx.AsyncHTTPTransport(uds=uds, verify=tls)
    async with httpx.AsyncClient(transport=transport, timeout=ASK_SECONDS) as client:
        return await client.get(base + PATH)


def answer_of(response: httpx.Response) -> Answer:
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
