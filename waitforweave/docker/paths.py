"""Paths of the Engine API, with a version before them or without. Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

VERSION = r"(?:/v\d+\.\d+)?"
CREATE = re.compile(rf"{VERSION}/containers/create")
STARTED = re.compile(rf"{VERSION}/containers/([^/]+)/(?:start|restart)")


def is_create(request: str) -> bool:
    """Whether `request` (a path, perhaps with a query) creates a container."""
    return CREATE.fullmatch(urlsplit(request).path) is not None


def started_container(request: str) -> str | None:
    """The name or id of the container that `request` starts or restarts, else None."""
    match = STARTED.fullmatch(urlsplit(request).path)
    return unquote(match[1]) if match else None
