"""What a person reads when a command cannot go on, is interrupted, or cannot be heard."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from tests.support.launched import WEAVEWAIT
from waitforweave.cli import launch as launch_module
from waitforweave.cli import status as status_module
from waitforweave.cli.errors import told
from waitforweave.cli.main import weavewait
from waitforweave.docker.engine import EngineError
from waitforweave.hooks.status import Answer
from waitforweave.launch.steps import Part


def typed(*words: str) -> Result:
    return CliRunner().invoke(weavewait, words)


@pytest.mark.parametrize("command", ["status", "stop", "launch"])
def test_without_an_engine_it_says_who_knows_more(command):
    said = typed(command, "--engine", "unix:///none/d.sock")
    assert said.exit_code == 1
    assert said.stderr == (
        f"weavewait {command}: no answer from the engine at unix:///none/d.sock: No such file or "
        "directory; weavewait doctor says what to do\n"
    )


def test_what_the_engine_itself_says_needs_no_doctor(capsys):
    with pytest.raises(SystemExit, match="1"), told("explain"):
        raise EngineError(404, "No such container: x")
    assert capsys.readouterr().err == "weavewait explain: No such container: x\n"


def test_an_interrupted_command_says_what_is_left(monkeypatch):
    async def interrupted(*_: object) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(launch_module, "bring_up", interrupted)
    said = typed("launch", "--engine", "unix:///none/d.sock")
    assert said.exit_code == 130
    assert said.stderr == "weavewait launch: interrupted; weavewait status shows what is there\n"


def test_a_full_disk_behind_stdout_is_one_line():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*WEAVEWAIT, "--version"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 1
    assert done.stderr == b"weavewait: cannot write what was asked for: No space left on device\n"


def test_an_address_where_the_container_should_be_is_told():
    said = typed("attach", "10.2.1.5/24")
    assert said.exit_code == 2
    assert '"10.2.1.5/24" is no container; allowed: CIDR... CONTAINER' in said.output


def test_what_is_no_hook_server_is_told(monkeypatch):
    transport = httpx.MockTransport(lambda _: httpx.Response(404))
    monkeypatch.setattr(httpx, "AsyncHTTPTransport", lambda **_: transport)
    said = typed("status", "--server", "unix:///run/docker.sock")
    assert said.stderr == (
        "weavewait status: who answers at unix:///run/docker.sock is no hook server: 404\n"
    )


def seen(state: str) -> status_module.Seen:
    return status_module.Seen([Part("weavewait", state)], Answer(containers=[]))


def test_watch_in_a_pipe_says_each_change_and_outlives_the_engine(monkeypatch):
    def answers() -> Iterator[status_module.Seen]:
        yield from (seen("there"), seen("there"))
        raise EngineError(0, "no answer")

    looks = answers()

    async def look(*_: object) -> status_module.Seen:
        try:
            return next(looks)
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(status_module, "look", look)
    monkeypatch.setattr(status_module, "WATCH_SECONDS", 0)
    said = typed("status", "--watch")
    assert (said.exit_code, said.stdout) == (0, "weavewait         there\n\nno answer\n\n")


def test_a_hook_server_is_asked_without_authorities(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/none/ca.pem")
    said = typed("status", "--server", "unix:///none/h.sock")
    assert said.stderr == (
        "weavewait status: no answer from the hook server at unix:///none/h.sock: No such file or "
        "directory\n"
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_term_is_heeded_as_an_interrupt_is(tmp_path, number, code):
    with socket.socket(socket.AF_UNIX) as hung:
        hung.bind(str(tmp_path / "d.sock"))
        hung.listen()
        words = [*WEAVEWAIT, "launch", "--engine", f"unix://{tmp_path}/d.sock"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as launching:
            client, _ = hung.accept()
            with client:
                launching.send_signal(number)
                _, said = launching.communicate()
    assert (launching.returncode, said) == (
        code,
        b"weavewait launch: interrupted; weavewait status shows what is there\n",
    )


@pytest.mark.parametrize("body", [b"<html>", b"\xff{}"])
def test_an_engine_that_speaks_no_json_is_told(monkeypatch, body):
    answer = httpx.Response(200, headers={"Api-Version": "1.41"}, content=body)
    monkeypatch.setattr(
        "waitforweave.docker.engine.UnixTransport", lambda _: httpx.MockTransport(lambda _: answer)
    )
    said = typed("status", "--engine", "unix:///e.sock")
    assert said.exit_code == 1
    assert said.stderr.startswith("weavewait status: an answer of the engine's is no JSON: ")
