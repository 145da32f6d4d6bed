"""A client that has gone takes its call along, also while nothing is said.

A quiet stream (logs -f, events) writes nothing that could fail, and end-of-file alone may be a
half-closed client that still reads. The kernel tells the two apart: EPOLLHUP is set when both
directions are shut. (On TCP a closed peer looks half-closed until something is written to it.)
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Iterator
from contextlib import contextmanager

from waitforweave.proxy.wire import Wire


@contextmanager
def hangup_cancels(client: Wire) -> Iterator[None]:
    """Cancel the task that runs the block when the client hangs up; ConnectionError then."""
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    gone = False

    def hung_up() -> None:
        nonlocal gone
        gone = True
        loop.remove_reader(watch.fileno())
        task.cancel()

    with select.epoll() as watch:
        # No event is asked for: hang-up and error are always told (epoll_ctl(2)). An epoll can be
        # watched itself, while asyncio watches the socket.
        watch.register(client.writer.get_extra_info("socket").fileno(), 0)
        loop.add_reader(watch.fileno(), hung_up)
        try:
            yield
        except asyncio.CancelledError:
            if not gone:
                raise
            task.uncancel()
            raise ConnectionResetError("the client has gone") from None
        finally:
            loop.remove_reader(watch.fileno())
