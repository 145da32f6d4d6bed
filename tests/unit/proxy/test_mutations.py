"""10,000 requests with bytes changed, dropped and repeated, many clients at once: an answer or an
end for each, never a hang or a crash, never a byte of one client in another's stream; and the
engine gets nothing that a strict reader would not take for whole requests.

Each number gives the same request in each run.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import h11
import httpx

from tests.unit.proxy.conftest import SECONDS, listener, unchanged
from waitforweave.docker.url import EngineUrl
from waitforweave.proxy import adapters, server
from waitforweave.proxy.chain import Adapters
from waitforweave.proxy.connection import Proxy

COUNT = 10_000
AT_ONCE = 50

# NAME is the client's own, in all that it says; the engine says it back.
PLAIN = [
    b"GET /_ping?NAME HTTP/1.1\r\nHost: d\r\nX-Y: NAME\r\n\r\n",
    b"HEAD /NAME HTTP/1.1\r\nHost: d\r\nConnection: keep-alive\r\n\r\n",
    b"POST /NAME HTTP/1.1\r\nHost: d\r\nContent-Length: 22\r\n\r\nhello NAME",
    b"PUT /a HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\nX: NAME\r\n\r\n"
    b"5;x\r\nhello\r\n10\r\nNAME\r\n0\r\nT: NAME\r\n\r\n",
    b"GET /NAME HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"POST /NAME HTTP/1.1\r\nHost: d\r\nExpect: 100-continue\r\nContent-Length: 16\r\n\r\nNAME",
    b"POST /containers/NAME/attach HTTP/1.1\r\nHost: d\r\n"
    b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
]
HOOKED = (
    b"POST /hooked HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nX: NAME\r\n"
    b"Expect: 100-continue\r\nContent-Length: 18\r\n\r\n" + b'"NAME"'
)
RULES = {"POST /hooked": {"pre": ["a"], "post": ["a"]}}
HOOKED_SHARE = 0.05
# What a reader could take differently, put anywhere, beside bytes that are merely wrong.
WORDS = [
    *(b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"\0", b"\r\n ", b"0\r\n\r\n", b"\x0b", b"\xff"),
    *(b"Content-Length: 1\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 0\r\n"),
    *(b"GET / HTTP/1.1\r\nHost: d\r\n\r\n", b"+", b"-", b"0x", b",", b"chunked", b"HTTP/1.1"),
]
TOKEN = re.compile(rb"[0-9a-f]{16}")


def mutated(request: bytes, dice: random.Random) -> bytes:
    """A few bytes at a few places replaced, dropped, or repeated."""
    for _ in range(dice.choice((0, 1, 1, 1, 2, 3))):
        at = dice.randrange(len(request) + 1)
        to = min(len(request), at + dice.choice((0, 0, 1, 2, 20)))
        new = dice.choice(
            (b"", dice.choice(WORDS), dice.randbytes(dice.randint(1, 3)), request[at:to] * 2)
        )
        request = request[:at] + new + request[to:]
    return request


# h11 takes no letters beyond ASCII in a target; Go does. A slash may stand in targets and values
# alone, too.
TO_SLASH = bytes.maketrans(bytes(range(0x80, 0x100)), b"/" * 0x80)


class Engine:
    """Reads each connection strictly and says back what it was sent; `odd` is what was no request,
    and `mixed` where a connection carried the bytes of two clients."""

    def __init__(self, names: set[bytes]) -> None:
        self.names = names
        self.odd: list[str] = []
        self.mixed: list[set[bytes]] = []
        self.answered = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came = b""
        http = h11.Connection(h11.SERVER)
        with suppress(ConnectionError):
            while (said := await self.request(http, reader)) is not None:
                came += said
                writer.write(self.answer(http, said))
                await writer.drain()
                if http.our_state is not h11.DONE or http.their_state is not h11.DONE:
                    break
                http.start_next_cycle()
        here = set(TOKEN.findall(came)) & self.names
        if len(here) > 1:
            self.mixed.append(here)
        writer.close()

    async def request(self, http: h11.Connection, reader: asyncio.StreamReader) -> bytes | None:
        """All that the next request says; None if there is no whole one."""
        said = b""
        while True:
            event = self.next_event(http)
            if event is h11.NEED_DATA:
                data = await reader.read(65536)
                said += data
                http.receive_data(data.translate(TO_SLASH))
            elif event is h11.PAUSED or isinstance(event, h11.EndOfMessage):
                return said
            elif not isinstance(event, h11.Request | h11.Data):
                return None

    def next_event(self, http: h11.Connection) -> object:
        try:
            return http.next_event()
        except h11.RemoteProtocolError as error:
            # A client that is cut off is so for the engine too; anything else is our doing.
            if "closed connection" not in str(error) and "complete message" not in str(error):
                self.odd.append(str(error))
            return None

    def answer(self, http: h11.Connection, said: bytes) -> bytes:
        """Each of the framings in turn."""
        self.answered += 1
        ways: list[list[tuple[str, str]]] = [
            [("Content-Length", str(len(said)))],
            [("Transfer-Encoding", "chunked")],
            [("Connection", "close")],
        ]
        kind = [("Content-Type", "application/json")]
        response = h11.Response(status_code=200, headers=ways[self.answered % 3] + kind)
        sent = http.send(response) or b""
        if not said.startswith(b"HEAD "):
            sent += http.send(h11.Data(data=said)) or b""
        return sent + (http.send(h11.EndOfMessage()) or b"")


class Clients:
    """All clients, AT_ONCE at a time, at one proxy; `wrong` is what no client may see."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names = {
            b"%016x" % random.Random(number).getrandbits(64): 0 for number in range(COUNT)
        }
        self.wrong: list[tuple[int, bytes]] = []
        self.bugs: list[dict[str, Any]] = []
        self.engine = Engine(set(self.names))
        self.answers = 0

    async def run(self) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, bug: self.bugs.append(bug))
        path = str(self.folder / "engine.sock")
        tasks: set[asyncio.Task[None]] = set()
        async with await asyncio.start_unix_server(self.engine.serve, path):
            with listener(self.folder / "proxy.sock") as listening:
                proxy = Proxy(EngineUrl("unix", path=path), rules(), Adapters(adapter))
                accepting = asyncio.create_task(server.accept(listening, proxy, tasks))
                numbers = enumerate(self.names)
                await asyncio.gather(*[self.clients(numbers) for _ in range(AT_ONCE)])
                accepting.cancel()
                await asyncio.wait([accepting, *tasks], timeout=SECONDS)
        self.bugs += [{"left": task} for task in tasks]

    async def clients(self, numbers: Iterator[tuple[int, bytes]]) -> None:
        for number, name in numbers:
            try:
                async with asyncio.timeout(SECONDS):
                    answer = await self.client(number, name)
            except TimeoutError:
                answer = b"it hangs"
            self.answers += answer.count(b"HTTP/1.1 200")
            foreign = set(TOKEN.findall(answer)) & self.names.keys() - {name}
            if foreign or not (answer == b"" or answer.startswith(b"HTTP/1.")):
                self.wrong.append((number, answer))

    async def client(self, number: int, name: bytes) -> bytes:
        """All that one client gets to see."""
        dice = random.Random(number)
        request, second = dice.choices(PLAIN, k=2)
        if dice.random() < HOOKED_SHARE:
            request = HOOKED
        sent = mutated(request.replace(b"NAME", name), dice) + second.replace(b"NAME", name)
        reader, writer = await asyncio.open_unix_connection(str(self.folder / "proxy.sock"))
        answer = b""
        with suppress(ConnectionError):  # The proxy may have seen enough.
            writer.write(sent)
            if dice.random() < 0.9:  # The others go without a look at their answer.
                writer.write_eof()
                answer = await reader.read()
        writer.close()
        return answer


def rules() -> list[adapters.Endpoint]:
    text = json.dumps({"endpoints": RULES, "adapters": {"a": "http://a/v1/extension"}})
    return list(adapters.parse(text))


def adapter(_: adapters.Adapter) -> httpx.AsyncBaseTransport:
    return httpx.MockTransport(lambda request: unchanged(json.loads(request.content)))


def test_any_bytes_have_an_answer_or_an_end_and_nobody_elses(tmp_path):
    clients = Clients(tmp_path)
    asyncio.run(clients.run())
    gc.collect()  # A task whose error nobody has seen says so when it goes.
    assert clients.wrong == []
    assert clients.bugs == []
    assert clients.engine.odd == []
    assert clients.engine.mixed == []
    # It was no test if nearly all were refused.
    assert clients.answers > COUNT / 2
