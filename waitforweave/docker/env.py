"""Which environment a container gets: its own entries over its image's. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def effective(image: Iterable[str], container: Iterable[str]) -> dict[str, str]:
    """Names to values, as the engine merges `NAME=value` entries.

    An entry of the container hides the image's of that name; "NAME" without "=" takes the name
    away; the last of several wins (moby: daemon/commit.go `merge`, container/env.go
    `ReplaceOrAppendEnvVars`).
    """
    values: dict[str, str] = {}
    for entry in (*image, *container):
        name, separator, value = entry.partition("=")
        if separator:
            values[name] = value
        else:
            values.pop(name, None)
    return values
