"""What a first launch that fails takes away again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from waitforweave.docker.engine import Engine, EngineError
from waitforweave.launch import on_host, steps
from waitforweave.launch.containers import LABEL
from waitforweave.launch.settings import LaunchError, Settings

ONE = Settings("unix:///a.sock", ("unix:///b/c.sock",), "bridge", "10.32.0.0/12", "weavewait:1")
OURS = {"Id": "sha256:1", "Config": {"Entrypoint": ["/opt/weavewait/weavewait"]}}
Answer = tuple[int, dict[str, Any] | list[Any]]


def answering(
    answer: Callable[[str, str], Answer], deleted: list[str]
) -> Callable[[httpx.Request], httpx.Response]:
    """An engine that answers so, and notes its DELETEs."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/_ping":
            return httpx.Response(200, headers={"Api-Version": "1.41"})
        path = request.url.path.removeprefix("/v1.41")
        if request.method == "DELETE":
            deleted.append(path)
        status, body = answer(request.method, path)
        return httpx.Response(status, json=body)

    return handle


def launch(answer: Callable[[str, str], Answer], message: str) -> list[str]:
    """A launch as containers on an engine that answers so, which fails with this message; the
    DELETEs that it was asked for."""
    deleted: list[str] = []

    async def run() -> None:
        transport = httpx.MockTransport(answering(answer, deleted))
        async with Engine(ONE.engine, transport) as engine:
            await steps.launch(engine, ONE, lambda _: None, host_process=False)

    with pytest.raises((EngineError, LaunchError), match=message):
        asyncio.run(run())
    return deleted


def refusing(status: int) -> Callable[[str, str], Answer]:
    """The image is there and nothing else; create is refused."""
    made: list[str] = []

    def answer(method: str, path: str) -> Answer:
        if path == "/images/weavewait:1/json":
            return 200, OURS
        if path == "/volumes":
            return 200, {"Volumes": None}
        if method == "POST" and path == "/containers/create":
            made.append(path)
            return status, {"message": "no"}
        # Made all the same: the answer was lost.
        if path == "/containers/weavewait/json" and made:
            return 200, OURS
        return 404, {"message": "not there"}

    return answer


def test_all_that_it_may_have_made():
    assert launch(refusing(500), "^no$") == [
        "/containers/weavewait-proxy",
        "/containers/weavewait-hooks",
        "/volumes/weavewait-run",
        "/volumes/weavewait-state",
        "/containers/weavewait",
    ]


def test_nothing_where_another_launch_is_faster():
    assert launch(refusing(409), r"^another launch is under way on this engine \(no\)") == []


@pytest.mark.parametrize("config", [{"Entrypoint": ["sh"]}, {"Entrypoint": None}, None])
def test_an_image_of_somebody_else_is_refused_before_anything_is_made(config):
    """Nothing of it would start, not even what takes the launch away again."""

    def answer(method: str, path: str) -> Answer:
        assert (method, path) == ("GET", "/images/weavewait:1/json")
        return 200, {"Id": "sha256:1", "Config": config}

    assert launch(answer, "weavewait:1 is not ours; make image builds ours") == []


def test_what_cannot_start_to_take_the_network_away_is_said():
    """By `stop`, of an image that does not run any more."""

    def answer(method: str, path: str) -> Answer:
        if path == "/containers/weavewait-hooks/json":
            labels = {"weavewait.launch": ONE.to_label()}
            return 200, {"Config": {"Labels": labels}, "State": {"Running": False}}
        if path == "/volumes":
            return 200, {"Volumes": None}
        if path.endswith("-clean-up/start"):
            return 400, {"message": "no such program"}
        return (201, {}) if method in ("POST", "DELETE") else (404, {"message": "not there"})

    engine = Engine(ONE.engine, httpx.MockTransport(answering(answer, [])))
    with pytest.raises(LaunchError, match=r"^could not take the network away: no such program$"):
        asyncio.run(steps.stop(engine, ONE.engine))


def launched_as_containers(method: str, path: str) -> Answer:
    if path == "/containers/weavewait-hooks/json":
        return 200, {"Config": {"Labels": {LABEL: ONE.to_label()}}}
    return (200, {"Volumes": None}) if method == "GET" else (204, {})


def launched_as_processes(_method: str, path: str) -> Answer:
    return (200, {"Volumes": None}) if path == "/volumes" else (404, {"message": "not there"})


@pytest.mark.parametrize("answer", [launched_as_containers, launched_as_processes])
def test_our_own_proxy_is_no_engine(tmp_path, monkeypatch, answer):
    """Nothing is taken away: not the half of it that can be reached so."""
    monkeypatch.setattr(on_host, "RUN_FOLDER", tmp_path)
    if answer is launched_as_processes:
        record = on_host.Folders.of(ONE.engine).record
        record.parent.mkdir()
        record.write_bytes(msgspec.json.encode(on_host.Record(ONE.to_label(), {})))
    deleted: list[str] = []
    (proxy,) = ONE.listen
    engine = Engine(proxy, httpx.MockTransport(answering(answer, deleted)))
    with pytest.raises(LaunchError, match=rf"^{proxy} is the proxy .* --engine {ONE.engine}$"):
        asyncio.run(steps.stop(engine, proxy))
    assert deleted == []


def test_a_replacement_that_fails_twice_tells_both_and_leaves_the_launch_known(
    tmp_path, monkeypatch
):
    """By the label of the hook server's container: `stop` takes the network away by that."""
    monkeypatch.setattr(on_host, "RUN_FOLDER", tmp_path)
    told = iter(["no room", "no room either"])
    gone: list[str] = []

    def answer(method: str, path: str) -> Answer:
        if path == "/images/weavewait:1/json":
            return 200, OURS
        if path == "/containers/weavewait-hooks/json" and method == "GET":
            body = {"Config": {"Labels": {LABEL: ONE.to_label()}}, "State": {"Running": True}}
            return 200, body
        if path == "/containers/create":
            return 500, {"message": next(told)}
        return (204, {}) if method in ("POST", "DELETE") else (404, {"message": "not there"})

    async def run() -> None:
        transport = httpx.MockTransport(answering(answer, gone))
        async with Engine(ONE.engine, transport) as engine:
            await steps.launch(engine, ONE, lambda _: None, host_process=False, replacing=True)

    expected = "^no room; what was launched before did not come back: no room either; "
    with pytest.raises(LaunchError, match=expected):
        asyncio.run(run())
    assert "/containers/weavewait-hooks" not in gone


def test_anothers_container_of_that_name_is_not_taken_away():
    """Weave's own proxy has one, too."""
    deleted: list[str] = []

    def answer(method: str, path: str) -> Answer:
        if path == "/containers/weavewait/json":
            return 200, {"Config": {"Entrypoint": ["/home/weave/sigproxy"]}}
        if method == "GET" and path in ("/containers/json", "/images/json"):
            return 200, []
        return (200, {"Volumes": None}) if path == "/volumes" else (404, {"message": "not there"})

    async def run() -> list[str]:
        transport = httpx.MockTransport(answering(answer, deleted))
        async with Engine(ONE.engine, transport) as engine:
            assert (await steps.would_stop(engine, ONE.engine))[0] == []
            return (await steps.stop(engine, ONE.engine))[0]

    assert asyncio.run(run()) == []
    assert "/containers/weavewait" not in deleted
