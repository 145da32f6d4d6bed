"""`weavewait proxy` on several addresses at once, on systemd's sockets, and with TLS."""

from __future__ import annotations

import socket
import ssl
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.certificates import Authority, client_context, listener_words
from tests.support.proxied import NO_HOOKS, proxy
from tests.unit.proxy.test_proxy_command import PING, PONG, pinged_engine, said_by
from waitforweave.cli.proxy import command


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return Authority().folder(tmp_path_factory.mktemp("tls") / "ours")


@pytest.fixture
def engine_url(tmp_path):
    with pinged_engine(tmp_path / "engine.sock") as url:
        yield url


def free_port() -> int:
    """Of a listener that has just gone."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def typed(tmp_path: Path, *words: str) -> Result:
    config = tmp_path / "adapters.yml"
    config.write_text(NO_HOOKS)
    return CliRunner().invoke(command, ["--config", str(config), *words])


def pinged(port: int, context: ssl.SSLContext | None = None) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
        client = context.wrap_socket(plain, server_hostname="127.0.0.1") if context else plain
        client.sendall(PING)
        return client.recv(65536)


def test_several_at_once_and_each_is_said(tmp_path, engine_url):
    port, more = free_port(), tmp_path / "more.sock"
    words = (f"--listen=unix://{more}", f"--listen=tcp://127.0.0.1:{port}")
    with proxy(tmp_path / "p", engine_url, NO_HOOKS, *words) as running:
        assert said_by(running.socket, PING) == said_by(more, PING) == pinged(port) == PONG
        urls = (running.url, f"unix://{more}", f"tcp://127.0.0.1:{port}")
        assert running.log() == "".join(f"weavewait proxy: listening on {url}\n" for url in urls)
        assert running.stop() == 0
    assert not more.exists()


def test_tls_is_for_tcp_only(tmp_path, engine_url, folder):
    port = free_port()
    words = (f"--listen=tcp://127.0.0.1:{port}", *listener_words(folder))
    with proxy(tmp_path / "p", engine_url, NO_HOOKS, *words) as running:
        assert said_by(running.socket, PING) == PONG
        assert pinged(port, client_context(folder)) == PONG
        assert pinged(port).startswith(b"HTTP/1.0 400 Bad Request\r\n")
        assert f"listening on tcp://127.0.0.1:{port} with TLS\n" in running.log()


def test_it_ends_while_clients_are_connected_with_tls(tmp_path, engine_url, folder):
    port = free_port()
    words = (f"--listen=tcp://127.0.0.1:{port}", *listener_words(folder))
    with proxy(tmp_path / "p", engine_url, NO_HOOKS, *words) as running:
        shaking = socket.create_connection(("127.0.0.1", port), timeout=30)
        with (
            shaking,
            socket.create_connection(("127.0.0.1", port), timeout=30) as plain,
            client_context(folder).wrap_socket(plain, server_hostname="127.0.0.1") as client,
        ):
            client.sendall(PING[:10])
            assert running.stop() == 0
            assert client.recv(1) == shaking.recv(1) == b""
        assert len(running.log().splitlines()) == 2


@pytest.mark.parametrize("more", ["tls", "insecure"])
def test_elsewhere_than_on_loopback_with_tls_or_when_told_so(tmp_path, engine_url, folder, more):
    port = free_port()
    words = listener_words(folder) if more == "tls" else ["--insecure"]
    listen = f"--listen=tcp://0.0.0.0:{port}"
    with proxy(tmp_path / "p", engine_url, NO_HOOKS, listen, *words):
        assert pinged(port, client_context(folder) if more == "tls" else None) == PONG


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "192.0.2.1"])
def test_elsewhere_without_either_is_refused(tmp_path, host):
    done = typed(tmp_path, f"--listen=tcp://{host}:2375")
    assert done.exit_code == 1
    assert "elsewhere with --tlscacert, --tlscert and --tlskey, or with --insecure" in done.stderr


def passed_by_systemd(sock: socket.socket) -> list[str]:
    """A command that runs another one with this socket, which it has, as systemd passes it."""
    script = f"""if True:
        import os, sys
        os.dup2({sock.fileno()}, 3)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
        os.execv(sys.argv[1], sys.argv[1:])
    """
    return [sys.executable, "-c", script]


def test_sockets_of_systemd(tmp_path, engine_url):
    with socket.create_server(("127.0.0.1", 0)) as there:
        port = there.getsockname()[1]
        below = passed_by_systemd(there)
        # A client that came before us.
        with socket.create_connection(("127.0.0.1", port), timeout=30) as early:
            early.sendall(PING)
            with proxy(
                tmp_path / "p", engine_url, NO_HOOKS, "--listen=fd://", below=below, fds=[there]
            ) as running:
                assert early.recv(65536) == PONG
                assert said_by(running.socket, PING) == PONG
                assert f"listening on tcp://127.0.0.1:{port}\n" in running.log()


def test_without_systemd_there_are_none(tmp_path):
    done = typed(tmp_path, "--listen=fd://")
    assert done.exit_code == 1
    assert done.stderr.startswith("weavewait proxy: fd://: no sockets were passed to us")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tlscert=/none"], "Error: TLS for clients needs --tlscacert, --tlskey too"),
        (["--engine=tcp://127.0.0.1:2376", "--engine-cert-path=/"], "needs --engine-tlsverify"),
        (
            ["--engine=tcp://127.0.0.1:2376", "--engine-cert-path=/none", "--engine-tlsverify"],
            "weavewait proxy: /none/ca.pem: No such file or directory\n",
        ),
    ],
)
def test_options_about_tls_that_cannot_be_are_refused(tmp_path, words, said):
    done = typed(tmp_path, *words)
    assert done.exit_code == 2
    assert said in done.stderr
