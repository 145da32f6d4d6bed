"""HTTP/1.1 by uvicorn, that does not wait for ever for a client that says nothing."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

# A proxy sends its whole call at once.
HEAD_SECONDS = 30.0


class ImpatientProtocol(H11Protocol):
    """uvicorn bounds how long a connection idles after a call, but not before its first one."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._first_head = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._first_head.cancel()
        super().connection_lost(exc)
