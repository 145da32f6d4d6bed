"""TLS on either side of the proxy, beside a plain pair of sockets.

One end of the pair is what the rest of the proxy reads and writes, as any other connection; what
goes through the other end is decrypted and encrypted here. So a half-closed side is one over TLS
too: its end goes as close_notify, and what the other side still says can be read. (asyncio's own
TLS transports cannot: they close both directions at once. Go's tls.Conn.CloseWrite, which the
docker command calls when its stdin ends, does just this, and leaves the TCP connection as it is.)
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from waitforweave.docker.reason import reason_of
from waitforweave.docker.url import EngineUrl
from waitforweave.proxy import wire
from waitforweave.proxy.wire import READ_BYTES, Wire

log = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 30.0
# How long the other side may take to read the last of what the proxy has said and closed behind.
LINGER_SECONDS = 30.0
# What Go's net/http says there, too; the docker command shows it.
NOT_TLS = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"

Serve = Callable[[Wire], Coroutine[Any, Any, None]]


async def serve(sock: socket.socket, context: ssl.SSLContext, plainly: Serve) -> None:
    """Serve a client over TLS by what serves it `plainly`. Never raises for what a client does."""
    where = name_of(sock)
    with sock:
        tunnel = Tunnel(sock, context, where)
        try:
            await tunnel.handshake()
        except OSError as error:
            log.warning("client at %s: no TLS: %s", where, reason_of(error))
            if isinstance(error, ssl.SSLError) and error.reason == "HTTP_REQUEST":
                with suppress(OSError):
                    await asyncio.get_running_loop().sock_sendall(sock, NOT_TLS)
            return
        try:
            plain, theirs = pair()
        except OSError as error:
            log.warning("cannot accept a client: %s", error.strerror)
            return
        serving = asyncio.create_task(plainly(plain))
        try:
            await tunnel.run(plain, theirs)
            await serving
        finally:
            serving.cancel()


class Engine:
    """The way to an engine that speaks TLS."""

    def __init__(self, url: EngineUrl, context: ssl.SSLContext) -> None:
        self._url = url
        self._context = context
        self._tunnels: set[asyncio.Task[None]] = set()

    async def connect(self) -> Wire:
        """A fresh connection. OSError."""
        sock = await wire.dial(self._url)
        try:
            tunnel = Tunnel(sock, self._context, str(self._url), self._url.host)
            try:
                await tunnel.handshake()
            except OSError as error:
                raise OSError(f"TLS: {reason_of(error)}") from error
            plain, theirs = pair()
        except BaseException:
            sock.close()
            raise
        task = asyncio.create_task(self._run(tunnel, sock, plain, theirs))
        self._tunnels.add(task)
        task.add_done_callback(self._tunnels.discard)
        return plain

    async def _run(
        self, tunnel: Tunnel, sock: socket.socket, plain: Wire, theirs: socket.socket
    ) -> None:
        with sock:
            await tunnel.run(plain, theirs)


def pair() -> tuple[Wire, socket.socket]:
    """What the rest of the proxy reads and writes, and its other end. OSError."""
    ours, theirs = socket.socketpair()
    return Wire(ours), theirs


class Tunnel:
    """A TLS connection over a socket that is connected: to a server of this name, or a client."""

    def __init__(
        self, sock: socket.socket, context: ssl.SSLContext, where: str, server: str | None = None
    ) -> None:
        self._sock = sock
        self._where = where
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server is None, server_hostname=server
        )
        self._flushing = asyncio.Lock()
        self._ended = False  # The other side has said its end, and all before it is passed on.

    async def handshake(self) -> None:
        """OSError, of which ssl.SSLError is one."""
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                while not await self._shake():
                    self._incoming.write(await self._more())
        except TimeoutError as error:
            raise TimeoutError(f"no handshake within {HANDSHAKE_SECONDS:.0f} s") from error

    async def _shake(self) -> bool:
        """The next step of the handshake, and whether it was the last."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        finally:
            await self._flush()  # An error too is told to the other side.
        return True

    async def run(self, plain: Wire, theirs: socket.socket) -> None:
        """Both directions of `plain`, whose other end is `theirs`, until one side has closed both
        of its own. Closes `theirs`."""
        theirs.setblocking(False)
        flows = [self._receive(theirs), self._send(plain, theirs), self._give_up(theirs)]
        tasks = [asyncio.create_task(flow) for flow in flows]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for error in filter(None, (task.exception() for task in done)):
                self._log(error)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            plain.broken = not self._ended
            theirs.close()

    def _log(self, error: BaseException) -> None:
        """Of an end that no side wanted. That the other one has gone is said elsewhere."""
        assert isinstance(error, OSError)
        gone = (ssl.SSLZeroReturnError, ssl.SSLEOFError)
        wrong = isinstance(error, ssl.SSLError) and not isinstance(error, gone)
        level = logging.WARNING if wrong else logging.DEBUG
        log.log(level, "%s: TLS ended: %s", self._where, reason_of(error))

    async def _receive(self, theirs: socket.socket) -> None:
        """What the other side says, and its end. Ends by OSError, when it is gone."""
        loop = asyncio.get_running_loop()
        ended = False
        while not ended:
            # Never is a whole record left undecrypted: see _say_end.
            data, ended = self._decrypted()
            if self._outgoing.pending and not self._flushing.locked():
                await self._flush()
            try:
                await loop.sock_sendall(theirs, data)
            except ConnectionError:
                # Nobody listens any more, but what was said before is still to be sent.
                await loop.create_future()
            if not ended:
                self._incoming.write(await self._more())
        self._ended = True
        with suppress(OSError):  # It may be gone altogether.
            theirs.shutdown(socket.SHUT_WR)
        await Wire(self._sock).hung_up()

    async def _send(self, plain: Wire, theirs: socket.socket) -> None:
        """What the proxy says, and its end; returns when it has closed the connection."""
        while data := await read(theirs):
            view = memoryview(data)
            while view:
                view = view[self._tls.write(view) :]
            await self._flush()
        if plain.breaks_off:
            return
        self._say_end()
        await self._flush()
        await Wire(theirs).hung_up()

    async def _give_up(self, theirs: socket.socket) -> None:
        await Wire(theirs).hung_up()
        await asyncio.sleep(LINGER_SECONDS)

    async def _more(self) -> bytes:
        """The next bytes. An end without close_notify is none: somebody else may have made it."""
        data = await asyncio.get_running_loop().sock_recv(self._sock, READ_BYTES)
        if not data:
            raise ConnectionResetError("the other side has gone")
        return data

    async def _flush(self) -> None:
        async with self._flushing:
            while self._outgoing.pending:
                data = self._outgoing.read()
                await asyncio.get_running_loop().sock_sendall(self._sock, data)

    def _decrypted(self) -> tuple[bytes, bool]:
        """What can be read of what came, and whether it has ended. ssl.SSLError."""
        pieces: list[bytes] = []
        while True:
            try:
                data = self._tls.read(READ_BYTES)
            except ssl.SSLWantReadError:
                return b"".join(pieces), False
            except ssl.SSLZeroReturnError:  # Both have said their end.
                data = b""
            if not data:
                return b"".join(pieces), True
            pieces.append(data)

    def _say_end(self) -> None:
        """close_notify. OpenSSL looks for the other side's at once, and would fail for good if it
        found data of theirs instead; what has come is always decrypted, so it finds nothing."""
        with suppress(ssl.SSLWantReadError):
            self._tls.unwrap()


async def read(theirs: socket.socket) -> bytes:
    """The next bytes, b"" for their end: also where the proxy had closed before it had read all,
    which unix sockets tell of as ECONNRESET."""
    try:
        return await asyncio.get_running_loop().sock_recv(theirs, READ_BYTES)
    except ConnectionResetError:
        return b""


def name_of(sock: socket.socket) -> str:
    try:
        host, port = sock.getpeername()[:2]
    except OSError:
        return "an address that is gone"
    return str(EngineUrl("tcp", host=host, port=port))
