"""Where a docker client goes, and who answers there."""

from __future__ import annotations

import asyncio
import grp
import hashlib
import json
import os
import pwd
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from waitforweave.attach.options import ENGINE
from waitforweave.doctor.client import ask, named, socket_at
from waitforweave.doctor.facts import Answer, Socket, Unseen
from waitforweave.proxy.tls import NOT_TLS


def configured(home: Path, current: str = "", **hosts: str) -> Path:
    """A docker client's folder with these contexts."""
    folder = home / ".docker"
    for name, host in hosts.items():
        key = hashlib.sha256(name.encode()).hexdigest()
        meta = folder / "contexts" / "meta" / key
        meta.mkdir(parents=True)
        value = {"Name": name, "Endpoints": {"docker": {"Host": host}}}
        (meta / "meta.json").write_text(json.dumps(value))
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"currentContext": current} if current else {}))
    return folder


def test_docker_host_is_nearer_than_any_context(tmp_path):
    configured(tmp_path, "far", far="tcp://far:1")
    environ = {"DOCKER_HOST": "unix:///a", "DOCKER_CONTEXT": "far"}
    assert named(environ, tmp_path) == ("DOCKER_HOST", "unix:///a")


def test_the_context_of_the_variable_is_nearer_than_the_configured_one(tmp_path):
    folder = configured(tmp_path, "far", far="tcp://far:1", near="unix:///n")
    assert named({}, tmp_path) == ("the docker context far", "tcp://far:1")
    environ = {"DOCKER_CONTEXT": "near", "DOCKER_CONFIG": str(folder)}
    assert named(environ, tmp_path / "no") == ("the docker context near", "unix:///n")


@pytest.mark.parametrize("current", ["", "default"])
def test_without_a_context_it_is_the_clients_default(tmp_path, current):
    assert named({}, tmp_path) == ("the docker client's default", ENGINE)
    configured(tmp_path, current)
    assert named({"DOCKER_HOST": ""}, tmp_path) == ("the docker client's default", ENGINE)


def test_a_context_that_is_not_there_leads_nowhere(tmp_path):
    configured(tmp_path, "gone")
    assert named({}, tmp_path) == ("the docker context gone", "")
    (tmp_path / ".docker" / "config.json").write_text('{"currentContext": 1}')
    assert named({}, tmp_path)[1] == ENGINE


@contextmanager
def answering(path: Path, body: bytes) -> Iterator[None]:
    """A server of one call."""
    with socket.create_server(str(path), family=socket.AF_UNIX) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(65536)
                client.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b'{"version": "1.2", "engine": "unix:///e"}', Answer("1.2", "unix:///e")),
        (b'{"message": "page not found"}', Answer()),
        (b"<html>", Answer()),
    ],
)
def test_our_proxy_is_told_from_others(tmp_path, body, answer):
    with answering(tmp_path / "s", body):
        assert asyncio.run(ask("DOCKER_HOST", f"unix://{tmp_path}/s")).answer == answer


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("unix:///nobody/is/there.sock", "No such file or directory"),
        ("", '"" is no address of an engine; allowed: unix:///PATH or tcp://HOST:PORT'),
    ],
)
def test_where_nobody_answers_that_is_said(url, fault):
    assert asyncio.run(ask("DOCKER_HOST", url)).fault == fault


def test_what_only_the_docker_client_can_reach_is_not_seen():
    answer = asyncio.run(ask("DOCKER_HOST", "ssh://me@far")).answer
    assert answer == Unseen("ssh:// is the docker client's own way")


def test_where_tls_is_spoken_is_not_seen_but_for_the_command_that_asks(monkeypatch):
    text = NOT_TLS.partition(b"\r\n\r\n")[2]
    transport = httpx.MockTransport(lambda _: httpx.Response(400, content=text))
    monkeypatch.setattr(httpx, "AsyncHTTPTransport", lambda **_: transport)
    answer = asyncio.run(ask("DOCKER_HOST", "tcp://far:2376")).answer
    assert answer == Unseen(
        "TLS is spoken there; in the folder of certificates type: curl --cacert ca.pem "
        "--cert cert.pem --key key.pem https://far:2376/_weavewait"
    )


def test_a_socket_is_looked_at(tmp_path):
    with socket.create_server(str(tmp_path / "s"), family=socket.AF_UNIX):
        (tmp_path / "s").chmod(0o640)
        user = pwd.getpwuid(os.geteuid())[0]
        group = grp.getgrgid((tmp_path / "s").stat().st_gid)[0]
        assert socket_at(tmp_path / "s") == Socket(
            str(tmp_path / "s"), "socket", user, group, 0o640, True, user
        )
    (tmp_path / "file").touch()
    assert socket_at(tmp_path / "file").kind == "other"
    assert socket_at(tmp_path / "none").kind == "absent"
