"""The one path that the proxy answers itself: who it is. No engine has it, and no client asks for
it but our own `weavewait doctor`: nothing is added to anybody's answer."""

from __future__ import annotations

import json

from waitforweave import __version__
from waitforweave.docker.url import EngineUrl
from waitforweave.proxy.refusal import Refusal

PATH = "/_weavewait"


def is_own(target: bytes) -> bool:
    return target == PATH.encode()


def answer(engine: EngineUrl) -> Refusal:
    """An answer that the engine never gave; the connection ends with it."""
    body = json.dumps({"version": __version__, "engine": str(engine)}).encode()
    return Refusal(200, "application/json", body)
