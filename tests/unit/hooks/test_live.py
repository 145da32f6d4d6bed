"""The live page's feed, without a socket: what a page gets, and what it may cost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.page.scenes import Clock as SceneClock
from tests.page.scenes import (
    attached,
    begin,
    container,
    failed,
    id_of,
    ready,
    removed,
    run_named,
)
from waitforweave.hooks import live as module
from waitforweave.hooks.live import Client, Live

NOW = 1_767_264_000.0
PATIENCE_SECONDS = 20


class Page:
    """An open page: what it is sent."""

    def __init__(self, live: Live) -> None:
        self.stream: AsyncIterator[bytes] = live.stream()

    async def next(self) -> bytes:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await anext(self.stream)

    async def event(self) -> tuple[str, dict[str, Any]]:
        lines = dict(
            line.split(": ", 1) for line in (await self.next()).decode().split("\n") if line
        )
        return lines["event"], json.loads(lines["data"])


def play(acts: Callable[[Live], Awaitable[None]]) -> None:
    async def main() -> None:
        live = Live(SceneClock(NOW))
        try:
            await acts(live)
        finally:
            live.close()

    asyncio.run(main())


@pytest.fixture(autouse=True)
def no_pause(monkeypatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0)


def test_first_all_of_it_then_what_changes():
    async def acts(live: Live) -> None:
        begin("a", NOW - 5, "10.2.1.5/24")(live)
        page = Page(live)
        name, data = await page.event()
        assert (name, data["gone"], data["engine"], data["now"]) == ("all", [], False, NOW)
        (row,) = data["rows"]
        assert (row["name"], row["promised"], row["waited"]) == ("a", ["10.2.1.5/24"], True)
        assert "state" not in row
        attached("a", NOW - 5, "10.2.1.5/24")(live)
        ready("a", NOW - 4)(live)
        name, data = await page.event()
        (row,) = data["rows"]
        assert (name, row["state"], row["ready"]) == ("some", "ready", NOW - 4)

    play(acts)


def test_only_those_that_changed_are_sent():
    async def acts(live: Live) -> None:
        for number in range(500):
            begin(f"job-{number}", NOW, "")(live)
        page = Page(live)
        assert len((await page.event())[1]["rows"]) == 500
        failed("job-3", NOW, "no")(live)
        removed("job-4")(live)
        _, data = await page.event()
        assert [row["name"] for row in data["rows"]] == ["job-3"]
        assert data["gone"] == [id_of("job-4")]

    play(acts)


def test_a_page_that_reads_nothing_holds_no_more_than_ids():
    async def acts(live: Live) -> None:
        page = Page(live)
        await page.event()
        for attempt in range(1000):
            for name in ("a", "b"):
                begin(name, NOW + attempt, "")(live)
        (client,) = live.clients
        assert set(client.pending) == {id_of("a"), id_of("b")}
        _, data = await page.event()
        assert {row["started"] for row in data["rows"]} == {NOW + 999}

    play(acts)


def test_the_engine_going_and_coming_is_told():
    async def acts(live: Live) -> None:
        page = Page(live)
        await page.event()
        live.connect(True)
        assert (await page.event())[1]["engine"] is True
        live.connect(False)
        assert (await page.event())[1]["engine"] is False

    play(acts)


def test_a_stream_without_news_shows_that_it_lives(monkeypatch):
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.001)

    async def acts(live: Live) -> None:
        page = Page(live)
        await page.event()
        assert await page.next() == await page.next() == b": alive\n\n"

    play(acts)


def test_streams_end_at_once_with_the_server():
    async def acts(live: Live) -> None:
        page = Page(live)
        await page.event()
        waits = asyncio.create_task(page.next())
        await asyncio.sleep(0)
        live.close()
        with pytest.raises(StopAsyncIteration):
            await waits
        assert live.clients == set()

    play(acts)


def test_more_pages_than_there_may_be_get_nothing():
    async def acts(live: Live) -> None:
        live.clients = {Client() for _ in range(module.MOST_CLIENTS - 1)}
        assert not live.full
        page = Page(live)
        await page.event()
        assert live.full
        with pytest.raises(StopAsyncIteration):
            await Page(live).next()
        await page.stream.aclose()
        assert not live.full

    play(acts)


def test_names_with_line_breaks_are_one_line():
    async def acts(live: Live) -> None:
        begin("a\n\nevent: all\ndata: {}", NOW, "")(live)
        raw = await Page(live).next()
        assert raw.count(b"\n\n") == 2  # retry, and one event

    play(acts)


def test_an_attach_begins_with_a_look_at_its_process():
    async def acts(live: Live) -> None:
        live.begin(container("a", NOW, pid=1 << 30), run_named("a", NOW), ["10.2.1.5/24"])
        story = live.timeline.get(id_of("a"))
        assert story is not None
        assert story.unseen

    play(acts)
