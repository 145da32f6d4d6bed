"""What `weavewait adapter-debug` shows of a hook, and what it answers."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from tests.support.notified import notifications
from waitforweave.cli.adapter_debug import command, make_app
from waitforweave.proxy import protocol
from waitforweave.proxy.protocol import ClientRequest, ServerResponse

CREATE = ClientRequest("POST", "/v1.41/containers/create?name=n", '{"Image": "a", "Big": 123}\n')
START = ClientRequest("POST", "/containers/a/start")
CREATED = ServerResponse("application/json", '{"Id":"1"}', 201)
ASKED = "/asked pre-hook POST /v1.41/containers/create?name=n"
GET = "/asked pre-hook GET /a"
ANSWERED = "/hook post-hook POST /v1.41/containers/create?name=n -> 201 application/json"


def body(text: str) -> ClientRequest:
    return ClientRequest("GET", "/a", text)


def called(message: bytes, path: str, *, pretty: bool = False, method="POST") -> httpx.Response:
    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(make_app(pretty=pretty))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(method, f"http://debug{path}", content=message)

    return asyncio.run(call())


def shown(capsys, path: str, message: bytes, *, pretty: bool = False) -> tuple[str, Any]:
    """What it prints, and its answer."""
    answer = called(message, path, pretty=pretty)
    assert answer.status_code == 200
    return capsys.readouterr().out, answer.content


@pytest.mark.parametrize(
    ("request_", "pretty", "said"),
    [
        (CREATE, False, f'{ASKED} {{"Image": "a", "Big": 123}}\n'),
        (CREATE, True, f'{ASKED}\n    {{\n      "Image": "a",\n      "Big": 123\n    }}\n'),
        (START, True, "/asked pre-hook POST /containers/a/start\n"),
        (body("no\nJSON\x1b[2J"), False, f"{GET} no\\nJSON\\x1b[2J\n"),
        (body("no\nJSON"), True, f"{GET}\n    no\\nJSON\n"),
        (body('["ü\\u2028"]'), True, f'{GET}\n    [\n      "ü\\u2028"\n    ]\n'),
    ],
)
def test_a_request_is_shown_and_goes_on_as_it_came(capsys, request_, pretty, said):
    out, answer = shown(capsys, "/asked", protocol.pre_hook(request_), pretty=pretty)
    assert out == said
    assert protocol.read_pre_answer(answer, request_) == request_


@pytest.mark.parametrize(
    ("response", "pretty", "said"),
    [
        (CREATED, False, f'{ANSWERED} {{"Id":"1"}}\n'),
        (CREATED, True, f'{ANSWERED}\n    {{\n      "Id": "1"\n    }}\n'),
        (ServerResponse(None, None, 204), False, f"{ANSWERED.partition(' 201')[0]} 204\n"),
    ],
)
def test_an_answer_is_shown_and_goes_on_as_it_came(capsys, response, pretty, said):
    message = protocol.post_hook(CREATE, response)
    out, answer = shown(capsys, "/hook", message, pretty=pretty)
    assert out == said
    assert protocol.read_post_answer(answer) == response


def test_what_is_no_hook_is_refused_and_not_shown(capsys):
    answer = called(b"{}", "/v1/extension")
    assert answer.status_code == 400
    assert "no call of Powerstrip's protocol" in answer.json()["message"]
    assert called(b"", "/v1/extension", method="GET").status_code == 405
    assert capsys.readouterr().out == ""


def test_it_listens_says_so_and_ends_without_its_socket(tmp_path: Path):
    path = tmp_path / "debug.sock"
    words = [
        sys.executable,
        "-m",
        "waitforweave.cli.main",
        "adapter-debug",
        f"--listen=unix://{path}",
    ]
    with notifications(tmp_path / "notify") as notified, subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"NOTIFY_SOCKET": str(tmp_path / "notify")},
    ) as process:  # fmt: skip
        assert notified.recv(100) == b"READY=1"
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path))) as client:
            answer = client.post("http://a/v1/extension", content=protocol.pre_hook(START))
        assert json.loads(answer.content)["ModifiedClientRequest"]["Request"] == START.Request
        # At once, though its stdout is no terminal.
        assert process.stdout is not None
        assert process.stdout.readline() == "/v1/extension pre-hook POST /containers/a/start\n"
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 0
    assert err == f"weavewait adapter-debug: listening on unix://{path}\n"
    assert not path.exists()


def test_tcp_only_on_loopback():
    done = CliRunner().invoke(command, ["--listen=tcp://0.0.0.0:9000"])
    assert done.exit_code == 1
    assert "anybody who reaches this port" in done.stderr
