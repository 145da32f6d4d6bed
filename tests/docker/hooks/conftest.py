"""The engine's API for a comparison of what it is asked plainly and through the hook."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.support import images
from tests.support.engine import PrivateEngine
from waitforweave.docker.create import GATE


@dataclass(frozen=True)
class Api:
    """Calls that no docker client would make. May be used by several threads at once."""

    client: httpx.Client

    def created(self, body: str) -> tuple[int, Any]:
        """Status, and what would run (Path and Args) or the engine's message."""
        headers = {"Content-Type": "application/json"}
        answer = self.client.post("/containers/create", content=body, headers=headers)
        if answer.status_code != 201:
            return answer.status_code, answer.json()["message"]
        path = f"/containers/{answer.json()['Id']}"
        said = self.client.get(f"{path}/json").json()
        self.client.delete(path)
        return 201, [said["Path"], *said["Args"]]

    def image_config(self, name: str) -> dict[str, Any]:
        config: dict[str, Any] = self.client.get(f"/images/{name}/json").json()["Config"]
        return config


def without_gate(command: list[str]) -> list[str]:
    assert command[0] == GATE
    rest = command[1:]
    return rest[1:] if rest[0] == "--" else rest


def tiny_root() -> bytes:
    """A root with one file: nothing of it is started."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        images.add_file(tar, "a", b"")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def api(engine: PrivateEngine) -> Iterator[Api]:
    """With a volume container for VolumesFrom to name."""
    transport = httpx.HTTPTransport(uds=str(engine.socket))
    with httpx.Client(transport=transport, base_url="http://engine", timeout=30) as client:
        client.post("/containers/create?name=weavewait", json={"Image": images.BUSYBOX})
        yield Api(client)
        client.delete("/containers/weavewait?v=1")
