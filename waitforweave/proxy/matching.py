"""Which rules a call matches. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from waitforweave.docker.paths import path_of
from waitforweave.proxy.adapters import Adapter, Endpoint


@dataclass(frozen=True)
class Hooks:
    """The adapters around one call, in the order in which they are called."""

    patterns: tuple[str, ...] = ()
    pre: tuple[Adapter, ...] = ()
    post: tuple[Adapter, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.patterns)


NO_HOOKS = Hooks()


def match(endpoints: Sequence[Endpoint], method: str, target: str) -> Hooks:
    """All that match "METHOD path", without the query, in the order of the file.

    Globs are the shell's, and "*" crosses "/", as in Powerstrip: "/*/containers/create" wants
    something before /containers, so a path without a version needs a rule of its own.
    """
    call = f"{method} {path_of(target)}"
    found = [endpoint for endpoint in endpoints if fnmatchcase(call, endpoint.pattern)]
    if not found:
        return NO_HOOKS  # Most calls.
    return Hooks(
        tuple(endpoint.pattern for endpoint in found),
        tuple(adapter for endpoint in found for adapter in endpoint.pre),
        tuple(adapter for endpoint in found for adapter in endpoint.post),
    )
