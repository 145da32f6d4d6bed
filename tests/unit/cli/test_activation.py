"""Sockets that were passed to us: which are taken, and what is said of others."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from waitforweave.cli import activation
from waitforweave.cli.activation import address_of, passed_sockets
from waitforweave.cli.listening import ListenError

OURS = {"LISTEN_PID": str(os.getpid())}


def passed(monkeypatch, *sockets: socket.socket) -> list[socket.socket]:
    """What becomes of these, one after the other from some descriptor on."""
    first = 200
    for number, sock in enumerate(sockets, first):
        os.dup2(sock.fileno(), number, inheritable=True)
        sock.close()
    monkeypatch.setattr(activation, "FIRST", first)
    return passed_sockets({**OURS, "LISTEN_FDS": str(len(sockets))})


def listens(sock: socket.socket, address: str) -> socket.socket:
    sock.bind(address)
    sock.listen()
    return sock


def test_all_of_them_are_taken(monkeypatch, tmp_path):
    path = tmp_path / "s.sock"
    there = [
        listens(socket.socket(socket.AF_UNIX), str(path)),
        socket.create_server(("127.0.0.1", 0)),
        socket.create_server(("::1", 0), family=socket.AF_INET6),
    ]
    ports = [sock.getsockname()[1] for sock in there[1:]]
    taken = passed(monkeypatch, *there)
    assert [str(address_of(sock)) for sock in taken] == [
        f"unix://{path}",
        f"tcp://127.0.0.1:{ports[0]}",
        f"tcp://[::1]:{ports[1]}",
    ]
    assert not any(sock.getblocking() or sock.get_inheritable() for sock in taken)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        taken[0].accept()[0].close()
    for sock in taken:
        sock.close()
    # It is systemd's, for the next one of us.
    assert path.is_socket()


def test_an_abstract_one_has_a_name_to_be_shown(monkeypatch):
    name = f"\0wfw-{os.getpid()}"
    (taken,) = passed(monkeypatch, listens(socket.socket(socket.AF_UNIX), name))
    with taken:
        assert str(address_of(taken)) == f"unix://@wfw-{os.getpid()}"


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_FDS": "1"},
        {"LISTEN_FDS": "1", "LISTEN_PID": "1"},
        OURS,
        {**OURS, "LISTEN_FDS": "0"},
        {**OURS, "LISTEN_FDS": "x"},
    ],
)
def test_none_of_ours_is_an_error(environ):
    with pytest.raises(ListenError, match="fd://: no sockets were passed to us; allowed: in the"):
        passed_sockets(environ)


def other_kinds(folder: Path) -> list[socket.socket]:
    one, other = socket.socketpair()
    other.close()
    return [
        socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        one,
        listens(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET), str(folder / "s")),
    ]


def test_what_nobody_can_connect_to_is_named(monkeypatch, tmp_path):
    for sock in other_kinds(tmp_path):
        with pytest.raises(ListenError, match="descriptor 200 does not listen for streams"):
            passed(monkeypatch, sock)


def test_what_is_no_socket_is_named(monkeypatch):
    monkeypatch.setattr(activation, "FIRST", 200)
    with pytest.raises(ListenError, match="descriptor 200: Bad file descriptor"):
        passed_sockets({**OURS, "LISTEN_FDS": "1"})
