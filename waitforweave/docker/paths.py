"""Paths of the Engine API, with a version before them or without. Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote

# moby: api/server/server.go `versionMatcher`; podman, which looks at no version, takes letters too:
# pkg/api/server/handler_api.go `VersionedPath`.
VERSION = r"(?:/v[0-9.][0-9A-Za-z.-]*)?"
# What may stand before a path: a scheme, and perhaps whose it is.
ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?://[^/]*|(?=/))")
# A name may have a slash, as links have it (`docker start web/db`); moby: "/containers/{name:.*}/".
CREATE = re.compile(rf"{VERSION}/containers/create")
STARTED = re.compile(rf"{VERSION}/containers/(.+)/(?:start|restart)")
EXEC = re.compile(rf"{VERSION}/containers/(.+)/exec")
INSPECT = re.compile(rf"{VERSION}/containers/(.+)/json")


def is_create(request: str) -> bool:
    """Whether `request` (a path, perhaps with a query) creates a container."""
    return CREATE.fullmatch(path_of(request)) is not None


def started_container(request: str) -> str | None:
    """The name or id of the container that `request` starts or restarts, else None."""
    match = STARTED.fullmatch(path_of(request))
    return match[1] if match else None


def exec_container(request: str) -> str | None:
    """The name or id of the container in which `request` makes an exec, else None."""
    match = EXEC.fullmatch(path_of(request))
    return match[1] if match else None


def is_inspect(request: str) -> bool:
    """Whether `request` is a `docker inspect` of a container."""
    return INSPECT.fullmatch(path_of(request)) is not None


def path_of(target: str) -> str:
    """The path as the engine's router reads it, so that no other spelling passes by us: without
    query, decoded, and without the "http://host" that RFC 9112 3.2.2 allows before it, or the
    "docker:" alone that Go takes for one (net/url: ParseRequestURI)."""
    path = target.partition("?")[0]
    if not path.startswith("/") and (origin := ORIGIN.match(path)):
        path = path[origin.end() :] or "/"
    return unquote(path)
