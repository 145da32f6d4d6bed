"""What is counted, and how the server says whether it does its work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.unit.hooks.conftest import Adapter, FakeBackend, FakeEngine, as_backend
from waitforweave.attach.backend import AttachError
from waitforweave.docker.engine import Engine
from waitforweave.hooks.app import make_app
from waitforweave.hooks.attaching import Attacher
from waitforweave.hooks.metrics import Metrics
from waitforweave.hooks.options import Options
from waitforweave.hooks.watcher import Watcher

GATED = '{"Image": "i:1", "Env": ["WEAVE_CIDR=10.2.1.5/24"], "Cmd": ["c"]}'


def values(text: str) -> dict[str, float]:
    """Samples by "name{label}"."""
    return {
        sample.name + "".join(f"{{{value}}}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def counted(adapter: Adapter) -> dict[str, float]:
    return values(adapter.get("/metrics").text)


def test_attaches_and_creates_are_counted_by_their_results(adapter, container):
    container("WEAVE_CIDR=")
    with adapter.kept():
        adapter.create(GATED)
        adapter.create("{}")
        adapter.create('{"Image": "i:1", "Env": ["WEAVE_CIDR=x"]}')
        adapter.start()
        adapter.backend.error = AttachError("no")
        adapter.start(code=304)
        found = counted(adapter)
    assert found["weavewait_creates_total{wrapped}"] == 1
    assert found["weavewait_creates_total{left_alone}"] == 1
    assert found["weavewait_creates_total{refused}"] == 1
    assert found["weavewait_attaches_total{attached}"] == 1
    assert found["weavewait_attaches_total{failed}"] == 1
    assert found["weavewait_attach_seconds_count"] == 1
    assert found["weavewait_errors_total{hook}"] == 2
    assert found["weavewait_waiting"] == 1


def test_all_of_it_is_there_from_the_beginning():
    found = values(Metrics().text().decode())
    assert {found[name] for name in found if name.endswith("_total")} <= {0.0}
    assert found["weavewait_attaches_total{ended}"] == 0


def test_two_servers_in_one_process_do_not_meet():
    one, other = Metrics(), Metrics()
    one.creates.labels("wrapped").inc()
    assert values(other.text().decode())["weavewait_creates_total{wrapped}"] == 0


def test_health_is_that_it_answers(adapter):
    assert (adapter.get("/healthz").status_code, adapter.get("/healthz").text) == (200, "ok\n")


def test_ready_is_that_the_engine_is_followed(adapter):
    answer = adapter.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "the engine's events are not followed\n")


def test_ready_while_the_events_flow():
    async def main() -> list[int]:
        def handle(request: httpx.Request) -> httpx.Response:
            if "/events" in request.url.path:
                return httpx.Response(200, content=stream())
            return FakeEngine({"GET /containers/json?all=1": (200, [])}).handle(request)

        async def stream() -> AsyncIterator[bytes]:
            codes.append((await client.get("/readyz")).status_code)
            over.set()
            await asyncio.Event().wait()
            yield b""

        codes: list[int] = []
        over, begin = asyncio.Event(), asyncio.Event()
        begin.set()
        async with Engine("unix:///engine.sock", httpx.MockTransport(handle)) as engine:
            watcher = Watcher(Attacher(engine, as_backend(FakeBackend())))
            transport = httpx.ASGITransport(make_app(watcher, Options("i")))
            async with (
                httpx.AsyncClient(transport=transport, base_url="http://hooks") as client,
                watcher.watching(begin),
            ):
                await asyncio.wait_for(over.wait(), 10)
        return codes

    assert asyncio.run(main()) == [200]
