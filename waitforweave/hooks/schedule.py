"""When a thing is tried again. Pure."""

from __future__ import annotations

RETRY_SECONDS = 2.0
RETRY_FACTOR = 1.5
RETRY_MOST = 60.0

RECONNECT_SECONDS = 0.1
RECONNECT_FACTOR = 2.0
RECONNECT_MOST = 5.0


def retry_delay(failures: int) -> float:
    """Seconds until an attach that failed so often is tried again: Weave's own schedule."""
    return grown(RETRY_SECONDS, RETRY_FACTOR, RETRY_MOST, failures)


def reconnect_delay(failures: int) -> float:
    """Seconds until an engine that was not there so often is asked again."""
    return grown(RECONNECT_SECONDS, RECONNECT_FACTOR, RECONNECT_MOST, failures)


def grown(first: float, factor: float, most: float, failures: int) -> float:
    """`first` after one failure, `factor` times as much after each further one."""
    delay = first
    for _ in range(failures - 1):
        delay *= factor
        if delay >= most:
            return most
    return delay
