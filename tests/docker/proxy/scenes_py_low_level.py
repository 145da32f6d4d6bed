"""docker-py's low-level API: sockets, archives, exec, events, streams that a program closes."""

from __future__ import annotations

import io
import socket
import tarfile
import threading
from typing import Any

import docker
from docker.errors import APIError
from docker.utils.socket import consume_socket_output, demux_adaptor, frames_iter

from tests.docker.proxy.py_client import bare, failed, made
from tests.docker.proxy.scenes import IMAGE, Scenes, Stage, moment
from tests.docker.proxy.scenes_cli_files import BIG, tar_of

SCENES = Scenes()


def frames_of(taken, *, tty: bool = False) -> tuple[bytes, bytes]:
    """Both streams, to their end."""
    frames = (demux_adaptor(*frame) for frame in frames_iter(taken, tty))
    out, err = consume_socket_output(frames, demux=True)
    return out or b"", err or b""


@SCENES.scene
def attach_socket_that_is_closed(stage: Stage):
    """The container goes on without it."""
    script = "while read a; do echo got $a; done; exec sleep 1000"
    with (
        stage.py() as client,
        made(client, stage, ["sh", "-c", script], stdin_open=True) as container,
    ):
        taken = container.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
        taken._sock.sendall(b"one\n")
        frame = next(frames_iter(taken, tty=False))
        taken.close()
        container.reload()
        assert frame == (1, b"got one\n")
        # The engine may have it in its log a moment later than at who is attached.
        logged = next(container.logs(stream=True, follow=True))
        return frame, container.status, logged


@SCENES.scene
def attach_socket_with_stdin_once(stage: Stage):
    with stage.py() as client:
        script = ["sh", "-c", "cat; echo err >&2; exit 3"]
        config = client.api.create_container_config(IMAGE, script, stdin_open=True)
        config["StdinOnce"] = True
        container = client.api.create_container_from_config(config)["Id"]
        try:
            params = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            taken = client.api.attach_socket(container, params)
            client.api.start(container)
            taken._sock.sendall(b"in" * 100_000)
            taken._sock.shutdown(socket.SHUT_WR)
            said = frames_of(taken)
            taken.close()
            assert said == (b"in" * 100_000, b"err\n")
            return said, client.api.wait(container)
        finally:
            client.api.remove_container(container, force=True)


@SCENES.scene
def attach_socket_of_a_terminal(stage: Stage):
    options = {"stdin_open": True, "tty": True}
    with stage.py() as client, made(client, stage, ["sh"], start=False, **options) as one:
        taken = one.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
        one.start()
        one.resize(height=40, width=90)
        taken._sock.sendall(b"stty size; exit 5\n")
        out, _ = frames_of(taken, tty=True)
        taken.close()
        assert b"40 90" in out
        return one.wait()


@SCENES.scene
def exec_with_a_socket(stage: Stage):
    with stage.py() as client, made(client, stage, ["sleep", "1000"]) as container:
        script = "read a; echo got $a; echo err >&2; cat; exit 4"
        words = {"stdin": True, "stdout": True, "stderr": True}
        made_exec = client.api.exec_create(container.id, ["sh", "-c", script], **words)
        taken = client.api.exec_start(made_exec["Id"], socket=True)
        taken._sock.sendall(b"a line\nmore")
        taken._sock.shutdown(socket.SHUT_WR)
        said = frames_of(taken)
        taken.close()
        assert said == (b"got a line\nmore", b"err\n")
        facts = client.api.exec_inspect(made_exec["Id"])
        assert (facts["ExitCode"], facts["Running"]) == (4, False)
        return said, facts["ExitCode"]


@SCENES.scene
def exec_run_with_a_socket_and_a_terminal(stage: Stage):
    with stage.py() as client, made(client, stage, ["sleep", "1000"]) as container:
        code, taken = container.exec_run(["sh"], socket=True, stdin=True, tty=True)
        taken._sock.sendall(b"echo a$((1 + 1))\nexit 3\n")
        out, _ = frames_of(taken, tty=True)
        taken.close()
        assert b"a2\r\n" in out
        return code, b"a2\r\n" in out


@SCENES.scene
def archives_both_ways(stage: Stage):
    with stage.py() as client, made(client, stage, ["true"], start=False) as container:
        put = container.put_archive("/tmp", tar_of(big=BIG, b=b"b"))
        stream, stat = container.get_archive("/tmp/big", chunk_size=100_000)
        content = b"".join(stream)
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            [member] = tar.getmembers()
            assert (member.name, member.size) == ("big", len(BIG))
        from_file = container.put_archive("/tmp", io.BytesIO(tar_of(c=b"c")))
        errors = [
            failed(APIError, container.put_archive, "/no/such", tar_of(a=b"a")),
            failed(APIError, container.put_archive, "/tmp", b"no tar " * 1000),
            failed(APIError, container.get_archive, "/no/such"),
        ]
        listed = sorted(change["Path"] for change in container.diff())
        assert listed == ["/tmp", "/tmp/b", "/tmp/big", "/tmp/c"]
        return put, stat["size"], content, from_file, listed, [bare(each) for each in errors]


@SCENES.scene
def an_archive_in_pieces(stage: Stage):
    """Sent chunked, since nobody knows its length."""
    tar = tar_of(big=BIG)
    pieces = (tar[at : at + 65_536] for at in range(0, len(tar), 65_536))
    with stage.py() as client, made(client, stage, ["true"], start=False) as container:
        assert container.put_archive("/tmp", pieces)
        exported = b"".join(container.export())
        with tarfile.open(fileobj=io.BytesIO(exported)) as opened:
            assert opened.getmember("tmp/big").size == len(BIG)
        return len(exported)


@SCENES.scene
def events_closed_by_another_thread(stage: Stage):
    with stage.py() as client:
        mine = {"container": stage.name("evented")}
        events = client.events(since=0, decode=True, filters=mine)
        with made(client, stage, ["sleep", "1000"], name=stage.name("evented")) as container:
            seen = [next(events)["Action"] for _ in range(2)]
            closing = threading.Timer(0.2, events.close)
            closing.start()
            rest = [event["Action"] for event in events]
            closing.join()
            container.reload()
            assert (seen, rest) == (["create", "start"], [])
            return seen, rest, container.status


@SCENES.scene_alone
def events_of_a_span(stage: Stage):
    """The engine keeps the last 256 events only, of all that happens."""
    name = stage.name("spanned")
    with stage.py() as client:
        since = stamp(client)
        with made(client, stage, ["true"], name=name) as container:
            container.wait()
        until = stamp(client)
        events = client.events(since=since, until=until, decode=True, filters={"container": name})
        seen = [event["Action"] for event in events]
        assert seen == ["create", "start", "die", "destroy"]
        return seen


def stamp(client) -> str:
    """The engine's time, as its API wants it."""
    return f"{moment(client.info()['SystemTime']).timestamp():.6f}"


@SCENES.scene
def a_stream_read_in_part(stage: Stage):
    """Megabytes that nobody reads do not hold the next call up."""
    with stage.py() as client, made(client, stage, ["seq", "1", "500000"]) as container:
        container.wait()
        logs = container.logs(stream=True)
        first = next(logs)
        container.reload()
        exported = container.export(chunk_size=1000)
        next(exported)
        assert first.startswith(b"1\n")
        return container.status, client.ping()


@SCENES.scene
def one_client_by_many_threads(stage: Stage):
    with stage.py() as client, made(client, stage, ["sleep", "1000"]) as container:
        said: dict[int, bytes] = {}

        def ask(number: int) -> None:
            said[number] = container.exec_run(["echo", str(number)]).output

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert said == {number: f"{number}\n".encode() for number in range(6)}
        return sorted(said.items())


@SCENES.scene
def versions(stage: Stage):
    said: list[Any] = []
    for version in (docker.constants.MINIMUM_DOCKER_API_VERSION, "auto"):
        with stage.py(version=version) as client:
            try:
                facts = client.version()
                containers = client.containers.list(filters={"name": stage.name("no-such")})
                said.append((client.api._version, facts["ApiVersion"], containers, client.ping()))
            except APIError as error:  # Newer engines refuse old versions.
                said.append((client.api._version, bare(error)))
    with stage.py(version="9.99") as client:
        said.append(bare(failed(APIError, client.containers.list)))
    assert said[1][-1] is True
    return said
