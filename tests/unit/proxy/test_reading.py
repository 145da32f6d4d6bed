"""One side's reader: what it may lose, and whom it may keep waiting."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from waitforweave.proxy.beside import Beside
from waitforweave.proxy.wakeup import Wakeup
from waitforweave.proxy.wire import Wire


@pytest.fixture
def pair() -> Iterator[tuple[Wire, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Wire(ours), theirs


@pytest.mark.parametrize("turns", range(5))
def test_a_reader_that_is_cancelled_loses_nothing(pair, turns):
    wire, peer = pair

    async def run() -> bytes:
        reading: asyncio.Task[bytes] = asyncio.create_task(wire.read())
        await asyncio.sleep(0)
        peer.send(b"x")
        for _ in range(turns):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
        if not reading.cancelled():
            return reading.result()
        again: bytes = await wire.read()
        return again

    assert asyncio.run(run()) == b"x"


def test_bytes_that_nobody_reads_yet_keep_the_loop_from_nothing(pair):
    """A descriptor that stays readable would turn the loop round and round."""
    wire, peer = pair
    seen: list[int] = []

    class Loop(asyncio.SelectorEventLoop):
        def _process_events(self, events: list[object]) -> None:
            seen.append(len(events))
            super()._process_events(events)  # type: ignore[misc]

    async def run() -> bytes:
        peer.send(b"x")
        told = asyncio.Event()
        wire.on_readable(told.set)
        await told.wait()
        for _ in range(5):
            await asyncio.sleep(0)
        seen.clear()
        for _ in range(5):
            await asyncio.sleep(0)
        data: bytes = await wire.read()
        return data

    with asyncio.Runner(loop_factory=Loop) as runner:
        assert runner.run(run()) == b"x"
    assert seen[:5] == [0] * 5


def test_an_event_that_comes_after_the_waiter_was_cancelled_is_nobodys():
    async def run() -> bool:
        wakeup = Wakeup(asyncio.get_running_loop())

        async def wait() -> None:
            await wakeup

        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        waiting.cancel()
        asyncio.get_running_loop().call_soon(wakeup.come)
        await asyncio.wait([waiting])
        return waiting.cancelled()

    assert asyncio.run(run())


def test_who_waits_goes_on_before_the_event_is_over():
    async def run() -> list[str]:
        wakeup, said = Wakeup(asyncio.get_running_loop()), []

        async def wait() -> None:
            await wakeup
            said.append("on")

        def come() -> None:
            wakeup.come()
            said.append("over")

        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(come)
        await waiting
        await asyncio.sleep(0)
        return said

    assert asyncio.run(run()) == ["on", "over"]


def test_a_side_that_always_has_more_keeps_nobody_waiting(pair):
    wire, peer = pair
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def run() -> None:
        async with Beside() as beside:
            beside.start(others())
            for _ in range(100):
                peer.send(b"x")
                await wire.read()

    asyncio.run(run())
    assert turns > 50


def test_what_was_read_too_early_comes_first(pair):
    wire, peer = pair

    async def run() -> list[bytes]:
        peer.send(b"c")
        wire.unread(b"b")
        wire.unread(b"a")
        assert not await wire.ended()
        assert wire.stale()
        return [await wire.read(), await wire.read()]

    assert asyncio.run(run()) == [b"ab", b"c"]


def test_an_idle_connection_is_stale_when_it_has_ended_or_speaks(pair):
    wire, peer = pair
    assert not wire.stale()
    peer.send(b"x")
    assert wire.stale()
    assert asyncio.run(wire.read()) == b"x"
    assert not wire.stale()
    peer.shutdown(socket.SHUT_WR)
    assert wire.stale()


def test_what_fails_beside_a_block_comes_out_of_it():
    async def side() -> None:
        raise ConnectionResetError("gone")

    async def run() -> None:
        async with Beside() as beside:
            beside.start(side())
            await asyncio.Event().wait()

    with pytest.raises(ConnectionResetError, match="gone"):
        asyncio.run(run())


def test_what_fails_when_the_block_is_over_is_nobodys_error():
    async def side() -> None:
        raise ConnectionResetError("gone")

    async def run() -> int:
        async with Beside() as beside:
            beside.start(side())
            # The side fails in this round of the loop, and is told of in the next one.
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        task = asyncio.current_task()
        return task.cancelling() if task else -1

    assert asyncio.run(run()) == 0


def test_a_block_that_is_cancelled_from_outside_takes_along_what_runs_beside():
    async def run() -> bool:
        side_ended = asyncio.Event()

        async def side() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                side_ended.set()

        async def block() -> None:
            async with Beside() as beside:
                beside.start(side())
                await asyncio.Event().wait()

        task = asyncio.create_task(block())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return side_ended.is_set()

    assert asyncio.run(run())
