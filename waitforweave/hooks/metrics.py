"""What the hook server counts, in the format that Prometheus reads."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

__all__ = ["CONTENT_TYPE_LATEST", "Metrics"]

# An attach by bridge takes some 5 ms; one has 30 s.
BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


ATTACHES = "Attaches by their result: attached, failed, ended (the container, by itself)."
ATTACH_SECONDS = "How long attaches took that succeeded."
CREATES = "Creates by what became of them: wrapped, left_alone, refused."
ERRORS = "Errors by where: hook (a client was told), events (the engine's ended), watcher."
WAITING = "Containers that run, should be attached, and are not, now."
EVENT_LAG = "How old the engine's last event was when it was read."
CONNECTED = "1 while the engine's events are followed."


class Metrics:
    """One server's; nothing is global, so that two in one process do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.attaches = self._counter(
            "weavewait_attaches", ATTACHES, "result", ("attached", "failed", "ended")
        )
        self.attach_seconds = Histogram(
            "weavewait_attach_seconds", ATTACH_SECONDS, buckets=BUCKETS, registry=self.registry
        )
        self.creates = self._counter(
            "weavewait_creates", CREATES, "result", ("wrapped", "left_alone", "refused")
        )
        self.errors = self._counter(
            "weavewait_errors", ERRORS, "where", ("hook", "events", "watcher")
        )
        self.waiting = self._gauge("weavewait_waiting", WAITING)
        self.event_lag = self._gauge("weavewait_event_lag_seconds", EVENT_LAG)
        self.connected = self._gauge("weavewait_events_connected", CONNECTED)

    def _counter(self, name: str, text: str, label: str, values: Sequence[str]) -> Counter:
        counter = Counter(name, text, [label], registry=self.registry)
        for value in values:
            counter.labels(value)  # A rate needs a 0 to begin with.
        return counter

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self.registry)

    def text(self) -> bytes:
        """All of it, as CONTENT_TYPE_LATEST."""
        return generate_latest(self.registry)
