"""An engine's socket of which only our mount is left.

A container has the engine's socket as a mount of that very file. An engine that is restarted makes
another one, and where containers outlive that (live-restore) the mount leads nowhere for good. Only
a new start of the container finds the new socket: its restart policy's work, once we have ended.
"""

from __future__ import annotations

import logging
import signal
from pathlib import Path

from waitforweave.docker.url import EngineUrl

log = logging.getLogger(__name__)


def is_replaced(engine: EngineUrl) -> bool:
    """Whether the socket has no name any more. One that is reached by its name has, or is not
    there; a mount of it stays when the file itself is removed."""
    if engine.scheme != "unix":
        return False
    try:
        return Path(engine.path).stat().st_nlink == 0
    except OSError:
        return False


def end_if_replaced(engine: EngineUrl) -> bool:
    """TERM for ourselves, where nothing else can help; whether that was so."""
    if not is_replaced(engine):
        return False
    log.error("the engine has another socket now, and %s is the old one's mount: ending", engine)
    signal.raise_signal(signal.SIGTERM)
    return True
