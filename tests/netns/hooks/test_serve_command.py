"""`weavewait serve` as a process: what it says, how it ends, what it refuses to begin with."""

from __future__ import annotations

import json
import resource
import signal
import socket
import socketserver
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest

from tests.netns.gate.space import Space
from waitforweave.attach.lock import alone

SERVE = (sys.executable, "-m", "waitforweave.cli.main", "serve")
PATIENCE_SECONDS = 30.0


@pytest.fixture(scope="module")
def space() -> Iterator[Space]:
    """The host's namespace, for the server: it makes its bridge there."""
    with Space() as space:
        yield space


def command(space: Space, folder: Path, listen: str) -> list[str]:
    # There is no engine: nothing asks it before the first call that needs it.
    options = (f"--engine=unix://{folder}/engine.sock", f"--state={folder}/state")
    return space.enter(*SERVE, *options, f"--listen={listen}")


@contextmanager
def serving(space: Space, folder: Path, *before: str) -> Iterator[subprocess.Popen[str]]:
    """A server that has said that it listens; `before` is the command that runs its command."""
    url = f"unix://{folder}/hooks.sock"
    words = [*before, *command(space, folder, url)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert process.stderr.readline() == f"weavewait serve: listening on {url}\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def decisions(said: str) -> list[str]:
    """All lines but those about the engine, which is not there."""
    return [line for line in said.splitlines() if " events: " not in line]


def refused(space: Space, folder: Path, listen: str) -> tuple[int, str]:
    done = subprocess.run(
        command(space, folder, listen),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


def called(folder: Path, call: object) -> httpx.Response:
    transport = httpx.HTTPTransport(uds=str(folder / "hooks.sock"))
    with httpx.Client(transport=transport, timeout=PATIENCE_SECONDS) as client:
        return client.post("http://hooks/v1/extension", json=call)


def pre_hook(body: str) -> dict[str, object]:
    request = {"Method": "POST", "Request": "/containers/create?name=a%0Ab", "Body": body}
    return {"PowerstripProtocolVersion": 1, "Type": "pre-hook", "ClientRequest": request}


def test_it_may_open_as_many_files_as_it_may(space, tmp_path):
    with serving(space, tmp_path, "prlimit", "--nofile=64:", "--") as server:
        soft, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    assert soft == hard > 64


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_listens_for_its_owner_only_and_ends_on_a_signal_without_its_socket(
    space, tmp_path, number
):
    with serving(space, tmp_path) as server:
        assert stat.S_IMODE((tmp_path / "hooks.sock").stat().st_mode) == 0o600
        server.send_signal(number)
        assert decisions(server.communicate(timeout=PATIENCE_SECONDS)[1]) == []
        assert server.returncode == 0
    assert not (tmp_path / "hooks.sock").exists()


ID = "c" * 64
CONTAINER = {
    "Id": ID,
    "Name": "/a",
    "State": {"Pid": 1, "StartedAt": "2026-01-01T00:00:00Z"},
    "Config": {"Env": ["WEAVE_CIDR=10.2.1.5/24"]},
    "HostConfig": {"NetworkMode": "default"},
}


class EngineOfOne(BaseHTTPRequestHandler):
    """One container, which runs, and events that never come."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        found = CONTAINER if ID in self.path else [{**CONTAINER, "State": "running"}]
        body = b"" if "/events" in self.path else json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Api-Version", "1.41")
        self.send_header("Content-Length", str(len(body) or 1))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def engine_of_one(tmp_path: Path) -> Iterator[None]:
    with socketserver.ThreadingUnixStreamServer(str(tmp_path / "engine.sock"), EngineOfOne) as at:
        at.daemon_threads = True
        thread = threading.Thread(target=at.serve_forever)
        thread.start()
        yield
        at.shutdown()
        thread.join()


@pytest.mark.usefixtures("engine_of_one")
def test_a_second_signal_ends_it_while_an_attach_hangs(space, tmp_path):
    with serving(space, tmp_path) as server, alone(tmp_path / "state", ID):
        assert server.stderr is not None
        assert server.stderr.readline() == "weavewait serve: events: followed\n"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "weavewait_waiting 1.0" not in metrics(tmp_path):
            assert time.monotonic() < deadline
        server.terminate()
        assert server.stderr.readline() == (
            "weavewait serve: attaches under way: 1; another signal ends them\n"
        )
        assert server.poll() is None
        server.terminate()
        assert server.wait(PATIENCE_SECONDS) == -signal.SIGTERM


def metrics(folder: Path) -> str:
    transport = httpx.HTTPTransport(uds=str(folder / "hooks.sock"))
    with httpx.Client(transport=transport, timeout=PATIENCE_SECONDS) as client:
        return client.get("http://hooks/metrics").text


def test_each_decision_is_one_line(space, tmp_path):
    with serving(space, tmp_path) as server:
        assert called(tmp_path, pre_hook("{")).status_code == 200
        server.terminate()
        _, said = server.communicate(timeout=PATIENCE_SECONDS)
    assert decisions(said) == [
        r"weavewait serve: create 'a\nb': left for the engine to refuse: Input data was truncated"
    ]


def test_an_engine_that_is_not_there_is_named_once_and_awaited(space, tmp_path):
    with serving(space, tmp_path) as server:
        assert server.stderr is not None
        line = server.stderr.readline()
        server.terminate()
        _, said = server.communicate(timeout=PATIENCE_SECONDS)
    engine = f"no answer from the engine at unix://{tmp_path}/engine.sock"
    assert line.startswith(f"weavewait serve: events: {engine}: ")
    assert line.endswith("; connecting again\n")
    assert said == ""


def test_an_engine_that_is_not_there_fails_the_create_and_is_named(space, tmp_path):
    with serving(space, tmp_path):
        answer = called(tmp_path, pre_hook(json.dumps({"Image": "i"})))
    assert answer.status_code == 502
    engine = f"no answer from the engine at unix://{tmp_path}/engine.sock"
    assert answer.json()["message"].startswith(f"weavewait: image i: {engine}: ")


def test_it_listens_nowhere_but_at_its_one_path(space, tmp_path):
    with (
        serving(space, tmp_path),
        httpx.Client(transport=httpx.HTTPTransport(uds=str(tmp_path / "hooks.sock"))) as client,
    ):
        assert client.post("http://hooks/nowhere").status_code == 404
        assert client.get("http://hooks/v1/extension").status_code == 405


def test_a_live_socket_is_left_to_its_owner(space, tmp_path):
    url = f"unix://{tmp_path}/hooks.sock"
    with serving(space, tmp_path):
        assert refused(space, tmp_path, url) == (
            1,
            f"weavewait serve: {url}: somebody listens there already\n",
        )
        assert called(tmp_path, pre_hook("{")).status_code == 200


def test_a_stale_socket_is_replaced(space, tmp_path):
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(tmp_path / "hooks.sock"))
    with serving(space, tmp_path):
        assert called(tmp_path, pre_hook("{")).status_code == 200


@pytest.mark.parametrize(
    ("listen", "code", "message"),
    [
        ("tcp://0.0.0.0:4000", 1, "anybody who reaches this port"),
        ("tcp://10.0.0.1:4000", 1, "anybody who reaches this port"),
        ("tcp://localhost", 2, "a TCP address is a host and a port"),
        ("unix://hooks.sock", 2, "a unix socket needs its absolute path"),
    ],
)
def test_addresses_that_are_refused(space, tmp_path, listen, code, message):
    got, err = refused(space, tmp_path, listen)
    assert got == code
    assert message in err


def test_a_file_in_the_sockets_place_is_not_removed(space, tmp_path):
    (tmp_path / "hooks.sock").write_text("mine")
    code, err = refused(space, tmp_path, f"unix://{tmp_path}/hooks.sock")
    assert code == 1
    assert "a file is there that is no socket" in err
    assert (tmp_path / "hooks.sock").read_text() == "mine"
