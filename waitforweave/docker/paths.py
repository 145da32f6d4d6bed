"""Paths of the Engine API, with a version before them or without. Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

# moby: api/server/server.go `versionMatcher`.
VERSION = r"(?:/v[0-9.]+)?"
CREATE = re.compile(rf"{VERSION}/containers/create")
STARTED = re.compile(rf"{VERSION}/containers/([^/]+)/(?:start|restart)")


def is_create(request: str) -> bool:
    """Whether `request` (a path, perhaps with a query) creates a container."""
    return CREATE.fullmatch(path_of(request)) is not None


def started_container(request: str) -> str | None:
    """The name or id of the container that `request` starts or restarts, else None."""
    match = STARTED.fullmatch(path_of(request))
    return match[1] if match else None


def path_of(request: str) -> str:
    """Without query and percent signs, as the engine's router matches it."""
    return unquote(urlsplit(request).path)
