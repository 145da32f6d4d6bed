"""What the hook server counts, in the format that Prometheus reads."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

__all__ = ["CONTENT_TYPE_LATEST", "Metrics"]

# An attach by bridge takes some 5 ms; one has 30 s.
BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """One server's; nothing is global, so that two in one process do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.attaches = Counter(
            "weavewait_attaches",
            "Attaches by their result: attached, failed, ended (the container, by itself).",
            ["result"],
            registry=self.registry,
        )
        self.attach_seconds = Histogram(
            "weavewait_attach_seconds",
            "How long attaches took that succeeded.",
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.creates = Counter(
            "weavewait_creates",
            "Creates by what became of them: wrapped, left_alone, refused.",
            ["result"],
            registry=self.registry,
        )
        self.errors = Counter(
            "weavewait_errors",
            "Errors by where: hook (a client was told), events (the engine's ended), watcher.",
            ["where"],
            registry=self.registry,
        )
        self.waiting = Gauge(
            "weavewait_waiting",
            "Containers that run, should be attached, and are not, now.",
            registry=self.registry,
        )
        self.event_lag = Gauge(
            "weavewait_event_lag_seconds",
            "How old the engine's last event was when it was read.",
            registry=self.registry,
        )
        self.connected = Gauge(
            "weavewait_events_connected",
            "1 while the engine's events are followed.",
            registry=self.registry,
        )
        # A rate needs a 0 to begin with.
        for result in ("attached", "failed", "ended"):
            self.attaches.labels(result)
        for result in ("wrapped", "left_alone", "refused"):
            self.creates.labels(result)
        for where in ("hook", "events", "watcher"):
            self.errors.labels(where)

    def text(self) -> bytes:
        """All of it, as CONTENT_TYPE_LATEST."""
        return generate_latest(self.registry)
