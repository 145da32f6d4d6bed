"""Where a docker client goes, and who answers there."""

from __future__ import annotations

import asyncio
import grp
import hashlib
import json
import os
import pwd
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.support.certificates import Authority
from waitforweave.attach.options import ENGINE
from waitforweave.docker.certificates import Certificates
from waitforweave.docker.reason import NEEDS_TLS
from waitforweave.doctor.client import Named, ask, named, socket_at
from waitforweave.doctor.facts import Answer, Client, Socket, Unseen
from waitforweave.proxy.certificates import listener_context
from waitforweave.proxy.tls import NOT_TLS

PROXY = b'{"version": "1.2", "engine": "unix:///e"}'


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
    assert named(environ, tmp_path) == Named("DOCKER_HOST", "unix:///a")


def test_the_context_of_the_variable_is_nearer_than_the_configured_one(tmp_path):
    folder = configured(tmp_path, "far", far="tcp://far:1", near="unix:///n")
    assert named({}, tmp_path) == Named("the docker context far", "tcp://far:1")
    environ = {"DOCKER_CONTEXT": "near", "DOCKER_CONFIG": str(folder)}
    assert named(environ, tmp_path / "no") == Named("the docker context near", "unix:///n")


@pytest.mark.parametrize("current", ["", "default"])
def test_without_a_context_it_is_the_clients_default(tmp_path, current):
    default = Named("the docker client's default", ENGINE)
    assert named({}, tmp_path) == default
    configured(tmp_path, current)
    assert named({"DOCKER_HOST": ""}, tmp_path) == default


def test_a_context_that_is_not_there_leads_nowhere(tmp_path):
    configured(tmp_path, "gone")
    assert named({}, tmp_path) == Named("the docker context gone", "")
    (tmp_path / ".docker" / "config.json").write_text('{"currentContext": 1}')
    assert named({}, tmp_path).url == ENGINE


def asked(url: str, certificates: Certificates | None = None) -> Client:
    return asyncio.run(ask(Named("DOCKER_HOST", url, certificates)))


@contextmanager
def answering(path: Path, body: bytes) -> Iterator[None]:
    """A server of one call."""
    with (
        socket.create_server(str(path), family=socket.AF_UNIX) as listener,
        one_call(listener, body),
    ):
        yield


@contextmanager
def speaking(body: bytes, tls: ssl.SSLContext | None) -> Iterator[str]:
    """The same on TCP, by TLS or without; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with one_call(listener, body, tls):
            yield f"tcp://127.0.0.1:{port}"


@contextmanager
def one_call(
    listener: socket.socket, body: bytes, tls: ssl.SSLContext | None = None
) -> Iterator[None]:
    def serve() -> None:
        client, _ = listener.accept()
        # Where TLS fails, the alert must be read before the connection is closed.
        with shaken(client, tls) if tls else client as talk, suppress(OSError):
            talk.recv(65536)
            talk.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body)

    thread = threading.Thread(target=serve)
    thread.start()
    yield
    thread.join()


def shaken(client: socket.socket, tls: ssl.SSLContext) -> socket.socket:
    """The same by TLS; itself where they do not agree, with its alert on its way."""
    secured = tls.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
    try:
        secured.do_handshake()
    except ssl.SSLError:
        return socket.socket(fileno=secured.detach())
    return secured


def of_listener(folder: Path) -> ssl.SSLContext:
    return listener_context(*(folder / name for name in ("ca.pem", "cert.pem", "key.pem")))


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
        assert asked(f"unix://{tmp_path}/s").answer == answer


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("unix:///nobody/is/there.sock", "No such file or directory"),
        ("", '"" is no address of an engine; allowed: unix:///PATH or tcp://HOST:PORT'),
    ],
)
def test_where_nobody_answers_that_is_said(url, fault):
    assert asked(url).fault == fault


def test_what_only_the_docker_client_can_reach_is_not_seen():
    answer = asked("ssh://me@far").answer
    assert answer == Unseen("ssh:// is the docker client's own way")


def test_who_wants_tls_is_told_from_who_is_not_there(monkeypatch):
    text = NOT_TLS.partition(b"\r\n\r\n")[2]
    transport = httpx.MockTransport(lambda _: httpx.Response(400, content=text))
    monkeypatch.setattr(httpx, "AsyncHTTPTransport", lambda **_: transport)
    assert asked("tcp://far:2376").fault == f"TLS: {NEEDS_TLS}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return Authority().folder(tmp_path_factory.mktemp("tls") / "ours")


def test_our_proxy_is_known_by_tls(folder):
    environ = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(folder)}
    with speaking(PROXY, of_listener(folder)) as url:
        seen = asyncio.run(ask(named({**environ, "DOCKER_HOST": url}, folder)))
    assert (seen.answer, seen.fault) == (Answer("1.2", "unix:///e"), "")


def test_a_context_has_certificates_of_its_own(tmp_path, folder):
    with speaking(PROXY, of_listener(folder)) as url:
        settings = configured(tmp_path, "far", far=url)
        key = hashlib.sha256(b"far").hexdigest()
        shutil.copytree(folder, settings / "contexts" / "tls" / key / "docker")
        seen = asyncio.run(ask(named({}, tmp_path)))
    assert (seen.answer, seen.fault) == (Answer("1.2", "unix:///e"), "")


def test_certificates_that_do_not_fit_are_told(tmp_path, folder):
    """Of another authority; and none, where one is wanted, which OpenSSL says after the
    handshake."""
    other = Authority().folder(tmp_path / "other")
    with speaking(PROXY, of_listener(folder)) as url:
        said = asked(url, Certificates(other, verify=True)).fault
    assert said.startswith("TLS: certificate verify failed: ")
    (other / "ca.pem").write_bytes((folder / "ca.pem").read_bytes())
    (other / "cert.pem").unlink()
    (other / "key.pem").unlink()
    with speaking(PROXY, of_listener(folder)) as url:
        said = asked(url, Certificates(other, verify=True)).fault
    assert said.startswith("TLS: ")
    assert said.endswith("certificate required")


def test_who_speaks_without_tls_is_told(folder):
    with speaking(PROXY, None) as url:
        said = asked(url, Certificates(folder, verify=True)).fault
    assert said == "TLS: wrong version number"


def test_a_folder_without_certificates_is_told(tmp_path):
    said = asked("tcp://127.0.0.1:1", Certificates(tmp_path, verify=True)).fault
    assert said == f"TLS: {tmp_path}/ca.pem: No such file or directory"


def test_a_port_where_nobody_listens_is_told_in_the_kernels_words():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert asked(f"tcp://127.0.0.1:{port}").fault == "Connection refused"


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


def test_a_context_that_is_no_utf8_leads_nowhere(tmp_path):
    found = named({"DOCKER_CONTEXT": "\udcff"}, tmp_path)
    assert (found.source, found.url) == ("the docker context \udcff", "")
