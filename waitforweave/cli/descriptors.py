"""How many descriptors a server of ours may have."""

from __future__ import annotations

import resource


def open_many() -> None:
    """As many as we may have, as Go's programs do: the proxy holds up to five for a client, of
    which `logs -f` and `events` alone can be hundreds, the hook server some for each attach that
    is under way. The soft limit is 1,024 nearly everywhere, for select(2)'s sake, which is not
    used here."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
