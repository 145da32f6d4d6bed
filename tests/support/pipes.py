"""Pipes that take nothing more."""

from __future__ import annotations

import contextlib
import os


def full_pipe(*, blocking: bool) -> tuple[int, int]:
    """Its reader's end, from which nobody reads, and its writer's."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(1 << 16))
    os.set_blocking(writer, blocking)
    return reader, writer


def broken_pipe() -> int:
    """The writer's end of one that has no reader."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer
