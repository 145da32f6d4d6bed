"""`weavewait proxy` as a process: what it says, how it ends, what it refuses to begin with."""

from __future__ import annotations

import resource
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from click.testing import CliRunner, Result

from tests.support.proxied import Proxy, proxy
from waitforweave.cli.proxy import command

PONG = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK"
POST = b"POST /a HTTP/1.1\r\nHost: a\r\n"
PING = b"GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n"


@contextmanager
def pinged_engine(path: Path) -> Iterator[str]:
    """An engine that answers each connection's first bytes with a pong; its URL."""

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                if peer.recv(65536):
                    peer.sendall(PONG)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o640)
        listener.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"unix://{path}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def said_by(path: Path, sent: bytes) -> bytes:
    """All that the proxy answers to this until it closes, our side being closed after it."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(str(path))
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := client.recv(65536):
            answer += piece
        return answer


def refused(*words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "waitforweave.cli.main", "proxy", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


@pytest.fixture
def engine_url(tmp_path) -> Iterator[str]:
    with pinged_engine(tmp_path / "engine.sock") as url:
        yield url


@pytest.fixture(scope="module")
def one_for_all(tmp_path_factory) -> Iterator[Proxy]:
    """A proxy that the bad requests of the tests below share, and survives."""
    folder = tmp_path_factory.mktemp("command")
    with pinged_engine(folder / "engine.sock") as url, proxy(folder / "p", url) as running:
        yield running
        assert said_by(running.socket, PING) == PONG


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_on_a_signal_without_its_socket(
    tmp_path, engine_url, number
):
    with proxy(tmp_path / "p", engine_url) as running:
        assert running.log() == f"weavewait proxy: listening on {running.url}\n"
        assert said_by(running.socket, PING) == PONG
        running.process.send_signal(number)
        assert running.process.wait(30) == 0
        assert not running.socket.exists()
        assert running.log() == f"weavewait proxy: listening on {running.url}\n"


def test_it_serves_as_many_clients_as_it_may(tmp_path, engine_url):
    with proxy(tmp_path / "p", engine_url, below=("prlimit", "--nofile=64:500")) as running:
        limits = resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE)
        assert limits == (500, 500)


def test_it_ends_while_clients_are_connected(tmp_path, engine_url):
    with proxy(tmp_path / "p", engine_url) as running, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(running.socket))
        client.sendall(b"GET /_ping HTTP/1.1\r\n")
        assert running.stop() == 0
        assert client.recv(100) == b""


def test_its_socket_has_the_mode_of_the_engines(tmp_path, engine_url):
    with proxy(tmp_path / "p", engine_url) as running:
        assert stat.S_IMODE(running.socket.stat().st_mode) == 0o640


def test_an_engine_that_is_not_there_is_named_to_the_client(tmp_path):
    with pinged_engine(tmp_path / "engine.sock") as url, proxy(tmp_path / "p", url) as running:
        (tmp_path / "engine.sock").unlink()
        head, _, body = said_by(running.socket, PING).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    assert body == (
        b'{"message": "weavewait proxy: the engine at ' + url.encode() + b" cannot be reached: "
        b'No such file or directory"}'
    )


@pytest.mark.parametrize(
    "request_head",
    [
        POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"GET /a\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
        b"GET /a HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x00\xa5\x01\x00\x00",
    ],
)
def test_what_two_readers_could_read_differently_is_refused_and_the_connection_closed(
    one_for_all, request_head
):
    answer = said_by(one_for_all.socket, request_head + PING)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"\r\nConnection: close\r\n" in answer
    assert b"HTTP/1.1 200" not in answer


def test_a_wrong_configuration_is_told_and_nothing_begun(tmp_path):
    config = tmp_path / "adapters.yml"
    config.write_text('endpoints:\n  "POST /a":\n    pre: [x]\nadapters: {}\n')
    code, err = refused("--config", str(config), "--listen", f"unix://{tmp_path}/docker.sock")
    assert code == 2
    assert err == (
        f'weavewait proxy: {config}: line 2: endpoint "POST /a": no adapter "x"; defined: none\n'
    )
    assert not (tmp_path / "docker.sock").exists()


@contextmanager
def told_by(running: Proxy) -> Iterator[IO[bytes]]:
    """The lines of its log, as they come."""
    words = ["tail", "--lines=+1", "--follow", str(running.folder / "log")]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as tail:
        assert tail.stdout is not None
        try:
            yield tail.stdout
        finally:
            tail.kill()


def test_it_reads_its_rules_again_and_lives_on(tmp_path, engine_url):
    with proxy(tmp_path / "p", engine_url) as running:
        other = running.folder / "other.yml"
        other.write_text("endpoints: {'* /_ping': {post: [x]}}\nadapters: {x: 'unix:///none'}\n")
        with told_by(running) as lines:
            assert b"listening on" in lines.readline()
            other.rename(running.folder / "adapters.yml")
            assert b"adapters.yml, read again: 1 endpoint; adapters: x" in lines.readline()
            running.process.send_signal(signal.SIGHUP)
            assert b"adapters.yml, read again: 1 endpoint; adapters: x" in lines.readline()
            assert said_by(running.socket, PING) == PONG  # Not JSON: no post-hook.
            assert b'GET /_ping matches "* /_ping"' in lines.readline()


def checked(path: Path) -> Result:
    return CliRunner().invoke(command, ["--check", str(path)])


def test_check_says_what_a_file_holds(tmp_path):
    config = tmp_path / "adapters.yml"
    config.write_text('endpoints: {"POST /a": {pre: [x]}}\nadapters: {x: "http://h/"}\n')
    done = checked(config)
    assert done.exit_code == 0
    assert done.output == f"ok: {config}: 1 endpoint; adapters: x (http://h/)\n"


def test_check_says_all_that_is_wrong_a_line_each(tmp_path):
    config = tmp_path / "adapters.yml"
    config.write_text('endpoints:\n  "POST /a": {pre: [x]}\n  "a": {pre: [x]}\nadapters: {}\n')
    done = checked(config)
    assert done.exit_code == 2
    assert (done.stdout, done.stderr) == (
        "",
        f'weavewait proxy: {config}: line 2: endpoint "POST /a": no adapter "x"; defined: none\n'
        f'weavewait proxy: {config}: line 3: endpoint "a": '
        'allowed: "METHOD /path", each may be a shell glob\n',
    )


def test_check_of_a_file_that_is_not_there(tmp_path):
    done = checked(tmp_path / "none.yml")
    assert done.exit_code == 2
    assert done.stderr == f"weavewait proxy: {tmp_path}/none.yml: No such file or directory\n"


def test_a_proxy_without_configuration_is_refused():
    done = CliRunner().invoke(command, [])
    assert done.exit_code == 2
    assert "Missing option '--config'" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--listen", "tcp://0.0.0.0:2375"), 1, "anybody who reaches this port"),
        (("--listen", "tcp://a"), 2, "a TCP address is a host and a port"),
        (("--listen", "tcp://127.0.0.1:1") * 2, 2, "--listen: the same address twice"),
        (("--engine", "/var/run/docker.sock"), 2, "is no address of an engine"),
    ],
)
def test_addresses_that_are_refused(tmp_path, words, code, message):
    config = tmp_path / "adapters.yml"
    config.write_text("endpoints: {}\nadapters: {}\n")
    got, err = refused("--config", str(config), *words)
    assert got == code
    assert message in err


def test_a_live_socket_is_left_to_its_owner(tmp_path, engine_url):
    with proxy(tmp_path / "p", engine_url) as running:
        config = str(running.folder / "adapters.yml")
        code, err = refused("--config", config, "--engine", engine_url, "--listen", running.url)
        assert code == 1
        assert err == f"weavewait proxy: {running.url}: somebody listens there already\n"
        assert said_by(running.socket, PING) == PONG
