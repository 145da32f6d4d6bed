"""Where `serve` and `proxy` listen: whose socket it is, what is left alone, what is refused."""

from __future__ import annotations

import fcntl
import os
import queue
import resource
import socket
import stat
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from waitforweave.cli import listening as module
from waitforweave.cli.listening import ListenError, listening
from waitforweave.docker.url import EngineUrl

NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s.sock"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Path]:
    """A socket like an engine's."""
    with bound(tmp_path / "engine.sock") as sock:
        sock.listen()
        (tmp_path / "engine.sock").chmod(0o660)
        yield tmp_path / "engine.sock"


def bound(path: Path, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, kind)
    sock.bind(str(path))
    return sock


def refusal_of(url: object, like: str | None = None) -> str:
    with pytest.raises(ListenError) as raised, listening(str(url), like):
        pass
    return str(raised.value)


def reaches(path: Path, listener: socket.socket) -> bool:
    """Whether who connects at this path comes to this listener."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return False
    return True


def test_clients_come_in_and_the_file_goes_with_the_listener(path):
    with listening(f"unix://{path}") as listener:
        assert not listener.getblocking()
        assert reaches(path, listener)
    assert not path.exists()


def test_it_goes_after_an_error_too(path):
    with pytest.raises(KeyError), listening(f"unix://{path}"):
        raise KeyError
    assert not path.exists()


def test_its_folder_is_made(tmp_path):
    with listening(f"unix://{tmp_path}/a/b/s.sock"):
        assert (tmp_path / "a/b/s.sock").is_socket()


@pytest.mark.parametrize("like", [None, "tcp://127.0.0.1:2375"])
def test_without_an_engines_socket_it_is_its_owners_only_whatever_the_umask(path, like):
    before = os.umask(0)
    try:
        with listening(f"unix://{path}", like):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        os.umask(before)


@pytest.mark.parametrize("mode", [0o660, 0o600, 0o666])
def test_it_has_the_mode_of_the_engines_whatever_the_umask(path, engine, mode):
    engine.chmod(mode)
    before = os.umask(0o077)
    try:
        with listening(f"unix://{path}", f"unix://{engine}"):
            assert stat.S_IMODE(path.stat().st_mode) == mode
    finally:
        os.umask(before)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_it_has_owner_and_group_of_the_engines(path, engine):
    os.chown(engine, NOBODY, NOBODY - 1)
    with listening(f"unix://{path}", f"unix://{engine}"):
        assert (path.stat().st_uid, path.stat().st_gid) == (NOBODY, NOBODY - 1)


def test_nobody_can_connect_before_the_rights_are_there(path, engine, monkeypatch):
    given = module.give_rights

    def give_rights(path: Path, rights: os.stat_result | None) -> None:
        with socket.socket(socket.AF_UNIX) as client, pytest.raises(ConnectionRefusedError):
            client.connect(str(path))
        given(path, rights)

    monkeypatch.setattr(module, "give_rights", give_rights)
    with listening(f"unix://{path}", f"unix://{engine}") as listener:
        assert reaches(path, listener)


def test_an_engine_without_a_socket_is_named_and_nothing_left(path, tmp_path):
    like = f"unix://{tmp_path}/none.sock"
    assert refusal_of(f"unix://{path}", like) == f"the engine at {like}: No such file or directory"
    assert not path.exists()


def test_rights_that_cannot_be_given_leave_nothing(path, engine, monkeypatch):
    def chown(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "geteuid", lambda: -1)
    monkeypatch.setattr(os, "chown", chown)
    said = refusal_of(f"unix://{path}", f"unix://{engine}")
    owner = f"{engine.stat().st_uid}:{engine.stat().st_gid}"
    assert said == f"unix://{path}: only root can give it the engine socket's owner, {owner}"
    assert not path.exists()


def test_a_stale_socket_is_replaced(path):
    with bound(path) as old:
        old.listen()
    assert path.is_socket()
    with listening(f"unix://{path}") as listener:
        assert reaches(path, listener)


@pytest.mark.parametrize("waiting", [0, 1])
def test_a_live_socket_is_left_to_its_owner_also_when_its_queue_is_full(path, waiting):
    # listen(0) has room for one: the second client that connects would wait.
    with bound(path) as owner, socket.socket(socket.AF_UNIX) as first:
        owner.listen(0)
        for client in [first][:waiting]:
            client.connect(str(path))
        said = refusal_of(f"unix://{path}")
        assert said == f"unix://{path}: somebody listens there already"
        assert path.is_socket()
        owner.accept()[0].close()


SOMAXCONN = int(Path("/proc/sys/net/core/somaxconn").read_text())


def test_as_many_may_wait_as_the_kernel_lets(path):
    """A crowd that comes at once; more than 1,024 were refused."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    try:
        with listening(f"unix://{path}"), ExitStack() as crowd:
            for _ in range(min(SOMAXCONN, 1500)):
                client = crowd.enter_context(socket.socket(socket.AF_UNIX))
                client.setblocking(False)
                client.connect(str(path))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_as_many_may_wait_on_tcp():
    with module.tcp_socket(EngineUrl("tcp", host="127.0.0.1", port=0)) as listener:
        # struct tcp_info's tcpi_sacked is the queue's length here (tcp_get_info).
        info = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)
        assert struct.unpack_from("I", info, 28)[0] == SOMAXCONN


def test_a_socket_of_another_kind_is_left_alone(path):
    with bound(path, socket.SOCK_DGRAM):
        assert refusal_of(f"unix://{path}") == f"unix://{path}: Protocol wrong type for socket"
        assert path.is_socket()


def test_a_file_that_is_no_socket_is_left_alone(path):
    path.write_text("precious")
    assert refusal_of(f"unix://{path}") == f"unix://{path}: a file is there that is no socket"
    assert path.read_text() == "precious"


@pytest.mark.parametrize(
    ("below", "reason"), [("a-file/s.sock", "File exists"), ("x" * 108, "AF_UNIX path too long")]
)
def test_where_no_socket_can_be_the_path_is_named(tmp_path, below, reason):
    (tmp_path / "a-file").touch()
    url = f"unix://{tmp_path}/{below}"
    assert refusal_of(url) == f"{url}: {reason}"


def test_who_has_taken_our_place_keeps_it(path):
    with listening(f"unix://{path}"):
        path.unlink()
        successor = bound(path)
        successor.listen()
        successor.setblocking(False)
    with successor:
        assert reaches(path, successor)


def test_who_has_its_inodes_number_keeps_it_too(path):
    """uvicorn closes its listener, and a file system gives the number of a file that is gone to the
    next one."""
    with listening(f"unix://{path}") as listener:
        numbers = path.stat().st_dev, path.stat().st_ino
        listener.close()
        path.unlink()
        for _ in range(100):
            successor = bound(path)
            if (path.stat().st_dev, path.stat().st_ino) == numbers:
                break
            successor.close()
            path.unlink()
        else:
            successor = bound(path)
        successor.listen()
        successor.setblocking(False)
    with successor:
        assert reaches(path, successor)


def test_nobody_else_begins_between_a_look_and_the_listening(path, monkeypatch):
    found = module.is_stale

    def is_stale(path: Path) -> bool:
        with path.with_name("s.sock.lock").open() as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return found(path)

    monkeypatch.setattr(module, "is_stale", is_stale)
    with listening(f"unix://{path}"):
        assert sorted(path.parent.iterdir()) == [path]
    assert not list(path.parent.iterdir())


def test_of_many_that_find_a_stale_socket_one_is_there(path):
    with bound(path) as old:
        old.listen()
    together, done = threading.Barrier(8), threading.Event()
    listening_now: queue.Queue[socket.socket | str] = queue.Queue()

    def begin() -> None:
        together.wait()
        try:
            with listening(f"unix://{path}") as listener:
                listening_now.put(listener)
                done.wait()
        except ListenError as error:
            listening_now.put(str(error))

    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(begin)
        found = [listening_now.get(timeout=30) for _ in range(8)]
        try:
            (winner,) = (each for each in found if isinstance(each, socket.socket))
            others = [each for each in found if each is not winner]
            assert others == [f"unix://{path}: somebody listens there already"] * 7
            assert reaches(path, winner)
        finally:
            done.set()
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "[::1]", "localhost"])
def test_tcp_on_loopback(host):
    # A free port: of a listener that has just gone.
    family = socket.AF_INET6 if host == "[::1]" else socket.AF_INET
    with socket.create_server(
        ("::1" if host == "[::1]" else "127.0.0.1", 0), family=family
    ) as free:
        port = free.getsockname()[1]
    with listening(f"tcp://{host}:{port}") as listener:
        assert not listener.getblocking()
        with socket.create_connection((host.strip("[]"), port)):
            pass


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "[::]", "192.0.2.1", "[2001:db8::1]", "docker.example", "[::ffff:0.0.0.0]"]
)
def test_tcp_elsewhere_is_refused_with_the_reason(host):
    said = refusal_of(f"tcp://{host}:2375")
    assert "anybody who reaches this port would rule the engine" in said
    assert "allowed: tcp://127.0.0.1:PORT, tcp://[::1]:PORT, or a unix socket" in said


def test_a_port_in_use_is_named():
    with socket.create_server(("127.0.0.1", 0)) as busy:
        url = f"tcp://127.0.0.1:{busy.getsockname()[1]}"
        assert refusal_of(url).startswith(f"{url}: Address already in use")
