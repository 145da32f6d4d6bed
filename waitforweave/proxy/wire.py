"""One side of the proxy: a connected socket, and what has been read from it too early.

Plain sockets beneath asyncio's streams: bytes are not copied through buffers of ours (a 1 GiB
`docker save`), a slow side holds the other up through the kernel alone, and a quiet stream costs
no memory. Reading waits for the socket first and takes the bytes then: a reader that is cancelled
loses nothing, and neither does a writer.
"""

from __future__ import annotations

import asyncio
import select
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from waitforweave.docker.url import EngineUrl
from waitforweave.proxy.parsing import HeadError, end_of_head
from waitforweave.proxy.wakeup import Wakeup

# What one read may take. glibc gives a buffer of 128 KiB or more back to the kernel each time
# (mallopt(3), M_TRIM_THRESHOLD), and fresh pages cost more than all else of a small call: large
# reads are for a stream that fills the others.
READ_BYTES, LARGE_READ_BYTES = 64 * 1024, 256 * 1024
# Go's net.Dialer and net.ListenConfig, if nothing else is said.
KEEPALIVE_SECONDS = 15
# struct linger (socket(7)): what is unsent at the close is dropped, and the peer gets a reset.
AT_ONCE = struct.pack("ii", 1, 0)

Head = TypeVar("Head")


class Wire:
    """A stream of bytes both ways; the kernel's errors come through as OSError."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._ahead = b""
        # What a writer that was cancelled has left: it goes before what is written next.
        self._unsent = b""
        # Whether to look for bytes before waiting for them: a client sends as soon as it can.
        self._likely = True
        self._most = READ_BYTES
        # Who is called once when there is something to read, or the end.
        self._reader: Callable[[], None] | None = None
        self._watched: asyncio.AbstractEventLoop | None = None
        # Whether the other side has gone, and whether it shall see us
        # gone so. A stream without framing has no other sign that it is cut.
        self.broken = False
        self.breaks_off = False

    async def read(self) -> bytes:
        """The next bytes, b"" for the end of this direction."""
        if self._ahead:
            data, self._ahead = self._ahead, b""
            return data
        while True:
            if not self._likely:
                await self._readable()
            self._likely = False
            if (found := self.read_now()) is not None:
                return found

    def read_now(self) -> bytes | None:
        """What can be read of the socket without waiting, b"" for the end; None if nothing can."""
        try:
            data = self._sock.recv(self._most)
        except BlockingIOError:
            return None
        except OSError:
            self.broken = True
            raise
        if not data and self.broken:
            raise ConnectionResetError("the other side has gone")
        self._most = LARGE_READ_BYTES if len(data) >= READ_BYTES else READ_BYTES
        return data

    def has_ahead(self) -> bool:
        """Whether bytes have come already that are still to be read."""
        return bool(self._ahead)

    def unread(self, data: bytes) -> None:
        """Bytes that belong to whoever reads next."""
        self._ahead = data + self._ahead

    async def head(self, read: Callable[[bytes], Head]) -> Head | None:
        """The next head as `read` has it, None for the end before any byte of one; behind it the
        next read goes on. HeadError."""
        data = await self.read()
        if not data:
            return None
        end = end_of_head(data)
        if not end:
            data, end = await self._long_head(bytearray(data))
        if end < len(data):
            self._ahead = data[end:]
            data = data[:end]
        return read(data)

    async def _long_head(self, data: bytearray) -> tuple[bytes, int]:
        """More than one read: all that has come with the head, and where the head ends."""
        while True:
            seen = len(data)
            more = await self.read()
            if not more:
                raise HeadError(400, "the connection ended in a head")
            data += more
            if end := end_of_head(data, seen):
                return bytes(data), end

    async def write(self, data: bytes) -> None:
        """Send it all, and wait while the other side is slow."""
        if self._unsent:
            data, self._unsent = self._unsent + data, b""
        # To send nothing can fail, too, where the other side has all and is gone.
        sent = self.write_now(data) if data else 0
        try:
            while sent < len(data):
                loop = asyncio.get_running_loop()
                await event(self._sock.fileno(), loop.add_writer, loop.remove_writer)
                sent += self.write_now(memoryview(data)[sent:])
        except asyncio.CancelledError:
            self._unsent = data[sent:]
            raise

    def write_now(self, data: bytes | memoryview) -> int:
        """How much of this could be sent without waiting."""
        try:
            return self._sock.send(data)
        except BlockingIOError:
            return 0

    def write_eof(self) -> None:
        """End our direction only: what the other side still says can be read."""
        with suppress(OSError):  # It may have gone altogether.
            self._sock.shutdown(socket.SHUT_WR)

    def break_off(self) -> None:
        """Let our end be a reset: on TCP. A unix socket has none to give, and a tunnel of TLS ends
        without its close_notify."""
        self.breaks_off = True
        if self._sock.family != socket.AF_UNIX:
            with suppress(OSError):
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)

    async def ended(self) -> bool:
        """Wait until there is something to read or the end; whether it is the end."""
        while True:
            if self._ahead:
                return False
            with suppress(BlockingIOError):
                return not self._sock.recv(1, socket.MSG_PEEK)
            await self._readable()

    def on_readable(self, callback: Callable[[], None] | None) -> None:
        """Call back once when there is something to read, or the end; None: not any more.

        Nobody else may read meanwhile: a descriptor has one reader.
        """
        # What has come already is the next call, which waits for its turn.
        self._reader = None if self._ahead else callback
        if self._reader is not None:
            self._watch()

    def _watch(self) -> None:
        """From the first reader on, and until something comes that nobody reads: epoll_ctl(2) for
        each read would be half of a small call's system calls."""
        if self._watched is None:
            self._watched = asyncio.get_running_loop()
            self._watched.add_reader(self._sock.fileno(), self._call_back)

    def _unwatch(self) -> None:
        if self._watched is not None:
            self._watched.remove_reader(self._sock.fileno())
            self._watched = None

    def _call_back(self) -> None:
        reader, self._reader = self._reader, None
        if reader is None:
            self._unwatch()
        else:
            reader()

    async def hung_up(self) -> None:
        """Wait until the other side has closed both directions.

        End of file alone may be a half-closed client that still reads. EPOLLHUP is for both, and
        comes without being asked for (epoll_ctl(2)). On TCP a closed peer looks half-closed until
        something is written to it: then the write fails.
        """
        with select.epoll() as watch:
            # An epoll of its own, watched by asyncio's, which has the socket already.
            watch.register(self._sock.fileno(), 0)
            loop = asyncio.get_running_loop()
            await event(watch.fileno(), loop.add_reader, loop.remove_reader)

    def stale(self) -> bool:
        """Whether an idle connection has ended, or says what nobody asked for."""
        try:
            self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return bool(self._ahead)
        except OSError:
            return True
        return True

    def close(self) -> None:
        self._unwatch()
        self._sock.close()

    async def _readable(self) -> None:
        wakeup = Wakeup(asyncio.get_running_loop())
        self._reader = wakeup.come
        self._watch()
        try:
            await wakeup
        finally:
            self._reader = None


async def event(fd: int, add: Callable[..., None], remove: Callable[[int], bool]) -> None:
    """Wait for a descriptor, with a pair like loop.add_reader and loop.remove_reader."""
    wakeup = Wakeup(asyncio.get_running_loop())
    add(fd, wakeup.come)
    try:
        await wakeup
    finally:
        remove(fd)


async def dial(engine: EngineUrl) -> socket.socket:
    """A fresh connection to the engine. OSError."""
    if engine.scheme == "unix":
        return await connect_to(socket.AF_UNIX, engine.path)
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(engine.host, engine.port, type=socket.SOCK_STREAM)
    failure = OSError(f"{engine.host} has no address")
    for family, _, _, _, address in found:
        try:
            return await connect_to(family, address)
        except OSError as error:
            failure = error
    raise failure


async def connect_to(family: int, address: str | tuple[object, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        if family == socket.AF_UNIX:
            # At once or not at all (unix(7)); asyncio takes EAGAIN, a full queue, for a connection.
            sock.connect(address)
        else:
            await asyncio.get_running_loop().sock_connect(sock, address)
        set_up(sock)
    except BaseException:
        sock.close()
        raise
    return sock


def set_up(sock: socket.socket) -> None:
    """A connection on TCP as Go's net has it: nothing waits for more, and a side that is gone
    without a word (its power, a firewall that forgot) is found out in a stream that is quiet."""
    if sock.family == socket.AF_UNIX:
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL):
        sock.setsockopt(socket.IPPROTO_TCP, option, KEEPALIVE_SECONDS)
