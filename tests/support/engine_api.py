"""The engine's API as a test calls it: for what the docker client cannot say, or not in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

PATIENCE_SECONDS = 60.0
HEADER_BYTES = 8  # of a frame of the multiplexed stream: its stream, three zeros, its length
STDERR = 2


@dataclass(frozen=True)
class Ended:
    """How a container ended; `refused` is what the engine said if it did not even start it."""

    code: int
    out: str
    err: str
    refused: str = ""


class EngineApi:
    """`with EngineApi(engine.socket) as api:`"""

    def __init__(self, socket: object) -> None:
        transport = httpx.HTTPTransport(uds=str(socket))
        self._client = httpx.Client(
            base_url="http://engine", transport=transport, timeout=PATIENCE_SECONDS, trust_env=False
        )

    def __enter__(self) -> EngineApi:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self._client.request(method, path, **more)

    @contextmanager
    def container(self, body: dict[str, Any]) -> Iterator[Container]:
        """A container made of this body, not started; removed at the end."""
        answer = self.call("POST", "/containers/create", json=body)
        assert answer.status_code == 201, answer.text
        made = Container(self, answer.json()["Id"], bool(body.get("Tty")))
        try:
            yield made
        finally:
            self.call("DELETE", f"/containers/{made.id}", params={"force": "1", "v": "1"})

    def run(self, body: dict[str, Any]) -> Ended:
        """Create, start, wait, and what it printed."""
        with self.container(body) as made:
            refused = made.start()
            return made.refused(refused) if refused else made.wait()


class Container:
    """One container, by its id."""

    def __init__(self, api: EngineApi, container_id: str, tty: bool) -> None:
        self._api = api
        self.id = container_id
        self._tty = tty

    def start(self) -> str:
        """What the engine says if it cannot."""
        answer = self._api.call("POST", f"/containers/{self.id}/start")
        return "" if answer.status_code == 204 else answer.json()["message"]

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self._api.call("GET", f"/containers/{self.id}/json").json()["State"]
        return state

    def runs(self) -> bool:
        """Is there such a container, and does it run?"""
        answer = self._api.call("GET", f"/containers/{self.id}/json")
        return answer.status_code == 200 and answer.json()["State"]["Running"]

    def refused(self, message: str) -> Ended:
        return Ended(self.state()["ExitCode"], "", "", message)

    def signal(self, name: str) -> None:
        answer = self._api.call("POST", f"/containers/{self.id}/kill", params={"signal": name})
        assert answer.status_code == 204, answer.text

    def wait(self) -> Ended:
        """Its end, which has to come."""
        code = self._api.call("POST", f"/containers/{self.id}/wait").json()["StatusCode"]
        which = {"stdout": "1", "stderr": "1"}
        logs = self._api.call("GET", f"/containers/{self.id}/logs", params=which).content
        return Ended(code, *((logs.decode(), "") if self._tty else separated(logs)))


def separated(stream: bytes) -> tuple[str, str]:
    """stdout and stderr of a multiplexed stream."""
    out, err = b"", b""
    while stream:
        length = int.from_bytes(stream[4:HEADER_BYTES], "big")
        frame = stream[HEADER_BYTES : HEADER_BYTES + length]
        if stream[0] == STDERR:
            err += frame
        else:
            out += frame
        stream = stream[HEADER_BYTES + length :]
    return out.decode(errors="surrogateescape"), err.decode(errors="surrogateescape")
