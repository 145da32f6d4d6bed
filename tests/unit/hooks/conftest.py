"""An engine that answers from a table, a backend that records, and the adapter before both."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
import pytest

from waitforweave.attach.backend import AttachError, Backend, Container
from waitforweave.docker.engine import Engine
from waitforweave.gate.weave_cidr import Wanted
from waitforweave.hooks.app import make_app
from waitforweave.hooks.attaching import Attacher
from waitforweave.hooks.options import Options
from waitforweave.hooks.watcher import Watcher

OPTIONS = Options("weavewait:test")
IMAGE = {"Os": "linux", "Config": {"Entrypoint": ["ie"], "Cmd": ["ic"], "Env": ["PATH=/bin"]}}


@dataclass
class FakeEngine:
    """Answers by "METHOD /path"; what is not in the table is a 404. `calls` is what was asked."""

    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        if path == "/_ping":
            return httpx.Response(200, headers={"Api-Version": "1.41"})
        call = f"{request.method} {path.removeprefix('/v1.41')}"
        self.calls.append(call)
        self.bodies.append(request.content)
        status, body = self.answers.get(call, (404, {"message": f"No such thing: {call}"}))
        return httpx.Response(status, json=body)


@dataclass
class FakeBackend:
    """Records what is attached; `error` is raised instead, `hold` waited for."""

    error: AttachError | None = None
    hold: threading.Event | None = None
    held: dict[str, tuple[str, ...]] = field(default_factory=dict)
    detached: list[str] = field(default_factory=list)
    attached: list[tuple[Container, list[str]]] = field(default_factory=list)
    name: str = "fake"
    by_process: bool = True

    def attach(self, container: Container, wanted: Sequence[Wanted]) -> tuple[str, ...]:
        if self.hold is not None:
            self.hold.wait(10)
        if self.error is not None:
            raise self.error
        self.attached.append((container, [word.text for word in wanted]))
        return tuple(word.text for word in wanted)

    def list(self) -> dict[str, tuple[str, ...]]:
        return dict(self.held)

    def detach(self, container_id: str) -> tuple[str, ...]:
        self.detached.append(container_id)
        return self.held.pop(container_id)


def as_backend(fake: FakeBackend) -> Backend:
    """What the hooks call of a backend, the fake has."""
    return cast(Backend, fake)


@dataclass
class Adapter:
    """The application, called as a proxy calls it."""

    engine: FakeEngine
    backend: FakeBackend
    # One server for several calls, in place of one for each.
    attacher: Attacher | None = None
    options: Options = OPTIONS

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Inside, all calls go to the same server."""
        self.attacher = Attacher(self.fake_engine(), as_backend(self.backend))
        yield
        self.attacher = None

    def fake_engine(self) -> Engine:
        return Engine("unix:///engine.sock", httpx.MockTransport(self.engine.handle))

    def post(self, content: bytes) -> httpx.Response:
        return self.together(content)[0]

    def together(self, *contents: bytes) -> list[httpx.Response]:
        """Several calls at once."""
        return self.called(
            lambda client: [client.post("/v1/extension", content=each) for each in contents]
        )

    def get(self, path: str) -> httpx.Response:
        return self.called(lambda client: [client.get(path)])[0]

    def called(
        self, calls: Callable[[httpx.AsyncClient], list[Coroutine[Any, Any, httpx.Response]]]
    ) -> list[httpx.Response]:
        async def main() -> list[httpx.Response]:
            attacher = self.attacher or Attacher(self.fake_engine(), as_backend(self.backend))
            app = make_app(Watcher(attacher), self.options)
            hooks = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=hooks, base_url="http://hooks") as client:
                return await asyncio.gather(*calls(client))

        return asyncio.run(main())

    def create(
        self, body: str | None, path: str = "/v1.41/containers/create?name=a"
    ) -> httpx.Response:
        return self.post(message("pre-hook", {"Method": "POST", "Request": path, "Body": body}))

    def start(self, name: str = "a", code: int = 204, verb: str = "start") -> httpx.Response:
        return self.post(self.start_message(name, code, verb))

    def start_message(self, name: str = "a", code: int = 204, verb: str = "start") -> bytes:
        request = {"Method": "POST", "Request": f"/v1.41/containers/{name}/{verb}", "Body": None}
        response = {"ContentType": "text/plain", "Body": None, "Code": code}
        return message("post-hook", request, ServerResponse=response)


def message(kind: str, request: dict[str, Any], **more: Any) -> bytes:
    """What a proxy sends."""
    head = {"PowerstripProtocolVersion": 1, "Type": kind, "ClientRequest": request}
    return json.dumps({**head, **more}).encode()


@pytest.fixture
def adapter() -> Adapter:
    """An engine with an image and the volume container, and a backend that succeeds."""
    engine = FakeEngine(
        {
            "GET /images/i:1/json": (200, IMAGE),
            "GET /containers/weavewait/json": (200, {}),
        }
    )
    return Adapter(engine, FakeBackend())


@pytest.fixture
def container(adapter: Adapter) -> Callable[..., dict[str, Any]]:
    """Puts a container onto the fake engine; gives what inspect says, to be changed."""

    def put(*env: str, policy: str = "", running: bool = True, name: str = "a") -> dict[str, Any]:
        identity = ("c" if name == "a" else name) * 64
        value = {
            "Id": identity,
            "Name": f"/{name}",
            "State": {"Running": running, "Pid": os.getpid() if running else 0},
            "Config": {"Env": list(env)},
            "HostConfig": {"NetworkMode": "default", "RestartPolicy": {"Name": policy}},
        }
        for word in (name, identity):
            adapter.engine.answers[f"GET /containers/{word}/json"] = (200, value)
        adapter.engine.answers[f"POST /containers/{identity}/kill"] = (204, None)
        return value

    return put
