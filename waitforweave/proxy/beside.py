"""Two things at once, where one of them leads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager


@asynccontextmanager
async def beside(side: Coroutine[object, None, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Run `side` while the block lasts: its error ends the block and comes out of it, its end
    means nothing, and the block's end ends it. (A TaskGroup would wait for it, and cost a task
    for the block.)"""
    main = asyncio.current_task()
    assert main is not None
    task = asyncio.create_task(side)

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            main.cancel()

    task.add_done_callback(ended)
    try:
        yield task
    except asyncio.CancelledError:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            main.uncancel()
            raise error from None
        raise
    finally:
        task.remove_done_callback(ended)
        task.cancel()
        await asyncio.wait([task])
