"""Which environment a container gets: its own entries over its image's. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def effective(image: Iterable[str], container: Iterable[str]) -> dict[str, str]:
    """Names to values, as the program in the container sees them.

    Any entry of the container hides the image's of that name, also "NAME" without "=", which
    itself sets nothing; the last that sets a name wins (moby: daemon/commit.go `merge`,
    container/env.go `ReplaceOrAppendEnvValues`). "NAME" does not undo an earlier "NAME=value" of
    the container's own: measured, tests/docker/hooks.
    """
    own = [entry.partition("=") for entry in container]
    hidden = {name for name, _, _ in own}
    inherited = [entry.partition("=") for entry in image]
    seen = [entry for entry in inherited if entry[0] not in hidden] + own
    return {name: value for name, equals, value in seen if equals}
