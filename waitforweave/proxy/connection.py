"""A client's connection: one call after the other, each over the same connection to the engine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from waitforweave.docker.replaced import end_if_replaced
from waitforweave.docker.url import EngineUrl
from waitforweave.proxy import heads, hooked, own, tls, wire
from waitforweave.proxy.adapters import Endpoint
from waitforweave.proxy.chain import Adapters
from waitforweave.proxy.exchange import Exchange
from waitforweave.proxy.framing import FramingError, request_body
from waitforweave.proxy.heads import Request
from waitforweave.proxy.matching import match
from waitforweave.proxy.parsing import HeadError, read_request
from waitforweave.proxy.refusal import Refusal, refusal
from waitforweave.proxy.small import Begun, SmallCalls
from waitforweave.proxy.wire import Wire

log = logging.getLogger(__name__)

# How long a client that is still sending may take to read our last answer (Go's net/http: 0.5).
LINGER_SECONDS = 2.0


@dataclass
class Proxy:
    """What all connections share. A call keeps the rules that it began with."""

    engine: EngineUrl
    endpoints: Sequence[Endpoint]
    adapters: Adapters
    tls: tls.Engine | None = None

    async def connect(self) -> Wire:
        """A fresh connection to the engine. OSError."""
        return await self.tls.connect() if self.tls else Wire(await wire.dial(self.engine))

    def use(self, endpoints: Sequence[Endpoint]) -> None:
        """Other rules, from the next call on."""
        self.endpoints = endpoints

    async def serve(self, client: Wire) -> None:
        """All calls of one client; never raises for what client, engine or adapter do."""
        connection = Connection(self, client)
        try:
            while await connection.exchange():
                pass
            connection.leave_engine()
            await connection.linger()
        except OSError as error:
            log.debug("connection ended: %s", error)
        finally:
            connection.close()


class Connection:
    """A client, and the connection to the engine that its calls share."""

    def __init__(self, proxy: Proxy, client: Wire) -> None:
        self._proxy = proxy
        self._client = client
        self._engine: Wire | None = None

    async def exchange(self) -> bool:
        """The next call, and whether another may follow. OSError."""
        exchange: Exchange | None = None
        try:
            begun = await self._small_calls()
            request = begun.request if begun else await self._request()
            if request is None:
                return False
            exchange = Exchange(self._client, self._connect, request, request_body(request))
            if begun and self._engine:
                return await exchange.go_on(self._engine, begun.unsent)
            return await self._run(exchange)
        except FramingError as error:
            refused = refusal(error.status, str(error))
        except Refusal as error:
            refused = error
        if exchange is None or not exchange.answered:
            to_head = exchange is not None and exchange.request.method == b"HEAD"
            await self._client.write(refused.encode(without_body=to_head))
        return False

    async def _small_calls(self) -> Begun | None:
        """As many small calls as come; the one that is under way then. OSError."""
        engine = self._engine
        if engine is None or self._client.has_ahead() or engine.stale():
            return None
        return await SmallCalls(self._client, engine, self._passes).run()

    def _passes(self, request: Request) -> bool:
        """Whether the engine gets it as it came, and nobody else."""
        if own.is_own(request.target):
            return False
        return not match(self._proxy.endpoints, request.method.decode(), heads.target_of(request))

    async def _request(self) -> Request | None:
        """The head of the next call; None if the client has no more. Refusal."""
        try:
            return await self._client.head(read_request)
        except HeadError as error:
            raise refusal(error.status, str(error)) from error

    async def _run(self, exchange: Exchange) -> bool:
        request = exchange.request
        if own.is_own(request.target):
            raise own.answer(self._proxy.engine)
        method, target = request.method.decode(), heads.target_of(request)
        hooks = match(self._proxy.endpoints, method, target)
        if not hooks:
            return await exchange.run()
        rules = ", ".join(f'"{pattern}"' for pattern in hooks.patterns)
        if not hooked.is_hookable(request, exchange.body):
            log.info("%s %s matches %s, but its body is no JSON: no hooks", method, target, rules)
            return await exchange.run()
        log.info("%s %s matches %s", method, target, rules)
        return await hooked.run(exchange, hooks, self._proxy.adapters)

    async def _connect(self) -> Wire:
        """The connection to the engine, made anew where the old one cannot be used. Refusal."""
        if self._engine is not None:
            if not self._engine.stale():
                return self._engine
            self.leave_engine()
        try:
            self._engine = await self._proxy.connect()
        except OSError as error:
            where = f"the engine at {self._proxy.engine}"
            reason = f"{where} cannot be reached: {error.strerror or error}"
            if end_if_replaced(self._proxy.engine):
                reason += "; it has another socket now, and we start anew for that: try again"
            raise refusal(502, reason) from error
        return self._engine

    async def linger(self) -> None:
        """Let the client read its last answer: closing while it sends would reset it."""
        if self._client.breaks_off:
            return
        self._client.write_eof()
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while await self._client.read():
                    pass

    def leave_engine(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def close(self) -> None:
        self.leave_engine()
        self._client.close()
