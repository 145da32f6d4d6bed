"""docker-py's objects: containers and what they say, by calls of a program."""

from __future__ import annotations

from typing import Any

import docker
from docker.errors import APIError, ContainerError, ImageNotFound, NotFound

from tests.docker.proxy.py_client import bare, failed, made
from tests.docker.proxy.scenes import IMAGE, Scenes, Stage

SCENES = Scenes()


@SCENES.scene
def run_for_its_output(stage: Stage):
    with stage.py() as client:
        script = "echo out; echo err >&2"
        said = client.containers.run(
            IMAGE, ["sh", "-c", script], stderr=True, remove=True, network_mode="none"
        )
        assert sorted(said.split()) == [b"err", b"out"]
        return sorted(said.split())


@SCENES.scene
def run_that_fails(stage: Stage):
    with stage.py() as client:
        words = ["sh", "-c", "echo err >&2; exit 3"]
        error = failed(ContainerError, client.containers.run, IMAGE, words, remove=True)
        assert (error.exit_status, error.stderr) == (3, b"err\n")
        return str(error)


@SCENES.scene
def run_streamed(stage: Stage):
    with stage.py() as client:
        script = "for i in 1 2 3; do echo $i; usleep 50000; done"
        lines = client.containers.run(IMAGE, ["sh", "-c", script], stream=True, remove=True)
        said = b"".join(lines)
        assert said == b"1\n2\n3\n"
        return said


@SCENES.scene
def life(stage: Stage):
    with stage.py() as client, made(client, stage, ["sleep", "1000"]) as container:
        states = []
        for verb in ("pause", "unpause", "restart", "kill", "start"):
            getattr(container, verb)(**({"timeout": 0} if verb == "restart" else {}))
            container.reload()
            states.append(container.status)
        assert states == ["paused", "running", "running", "exited", "running"]
        container.stop(timeout=0)
        # 137, or 2 where it is stopped before runc has made it `sleep`.
        return states, container.wait()["StatusCode"] > 0


@SCENES.scene
def wait_with_conditions(stage: Stage):
    with stage.py() as client, made(client, stage, ["sh", "-c", "read a"], stdin_open=True) as one:
        one.kill("TERM")
        one.kill("KILL")
        ended = one.wait()
        exited = one.wait(condition="not-running")
        assert ended["StatusCode"] == exited["StatusCode"] == 137
        return ended, exited


@SCENES.scene
def wait_that_times_out(stage: Stage):
    """The client gives up; the next call has a connection of its own and works."""
    with stage.py() as client, made(client, stage, ["sleep", "1000"]) as container:
        # requests' time-outs, which docker-py passes on as they are.
        error = failed(Exception, container.wait, timeout=0.3)
        container.reload()
        assert container.status == "running"
        return type(error).__name__, container.status


@SCENES.scene
def logs(stage: Stage):
    script = "for i in 1 2 3; do echo $i; echo e$i >&2; usleep 50000; done"
    with stage.py() as client, made(client, stage, ["sh", "-c", script]) as container:
        followed = b"".join(container.logs(stream=True, follow=True))
        assert sorted(followed.split()) == [b"1", b"2", b"3", b"e1", b"e2", b"e3"]
        return [
            sorted(followed.split()),
            container.logs(stdout=True, stderr=False),
            # Of all: the engine keeps no order between the two streams.
            container.logs(stdout=False, stderr=True, tail=6),
            sorted(container.logs(timestamps=True).split(b"\n"), key=lambda line: line[-3:]),
            container.logs(until=1),
        ]


@SCENES.scene
def logs_streamed_and_closed(stage: Stage):
    """A stream that its reader closes, while the container has more to say."""
    script = "echo one; echo two; exec sleep 1000"
    with stage.py() as client, made(client, stage, ["sh", "-c", script]) as container:
        stream = container.logs(stream=True, follow=True)
        first = next(stream)
        stream.close()
        container.reload()
        assert (first[:3], container.status) == (b"one", "running")
        return container.status


@SCENES.scene
def attach_for_the_output(stage: Stage):
    script = ["sh", "-c", "read a; echo got $a; exit 2"]
    with stage.py() as client, made(client, stage, script, stdin_open=True) as container:
        # Nothing is said before: docker-py loses what comes along with the answer's head.
        stream = container.attach(stream=True)
        taken = container.attach_socket(params={"stdin": 1, "stream": 1})
        taken._sock.sendall(b"asked\n")
        said = b"".join(stream)
        taken.close()
        assert said == b"got asked\n"
        return said, container.wait()


@SCENES.scene
def exec_run(stage: Stage):
    with stage.py() as client, made(client, stage, ["sleep", "1000"]) as container:
        plain = container.exec_run(["sh", "-c", "echo out; exit 3"])
        assert tuple(plain) == (3, b"out\n")
        apart = container.exec_run(["sh", "-c", "echo o; echo e >&2"], demux=True)
        assert apart.output == (b"o\n", b"e\n")
        streamed = container.exec_run(["seq", "1", "5"], stream=True)
        return [
            *(tuple(plain), tuple(apart), b"".join(streamed.output)),
            tuple(container.exec_run("tty", tty=True)),
            tuple(container.exec_run("id -u", user="1000", environment={"A": "b"}, workdir="/tmp")),
            # It may have ended by then, and has an exit code, or none yet.
            container.exec_run("true", detach=True).output,
            tuple(container.exec_run("no-such-program")),
        ]


@SCENES.scene
def top_stats_diff_and_rename(stage: Stage):
    with stage.py() as client, made(client, stage, ["sleep", "1000"]) as container:
        container.exec_run(["touch", "/tmp/a"])
        container.rename(stage.name("renamed"))
        container.reload()
        stats = container.stats(stream=False)
        assert stats["name"] == f"/{stage.name('renamed')}"
        top = container.top(ps_args="-o pid,args")
        assert top["Processes"][0][1] == "sleep 1000"
        first = next(container.stats(stream=True, decode=True))
        return top["Titles"], container.diff(), container.name, sorted(stats), sorted(first)


@SCENES.scene
def create_with_much(stage: Stage):
    options = {
        "environment": {"A": "b", "C": ""},
        "labels": {"one": "1"},
        "mem_limit": "64m",
        "cap_drop": ["ALL"],
        "read_only": True,
        "tmpfs": {"/t": "size=1m"},
        "ulimits": [docker.types.Ulimit(name="nofile", soft=100, hard=100)],
        "healthcheck": {"test": ["CMD", "true"], "interval": 10**9},
        "restart_policy": {"Name": "on-failure", "MaximumRetryCount": 2},
        "mounts": [docker.types.Mount("/m", None, type="tmpfs")],
        "log_config": docker.types.LogConfig(type="json-file", config={"max-size": "1m"}),
    }
    with stage.py() as client, made(client, stage, ["env"], start=False, **options) as container:
        facts = client.api.inspect_container(container.id)
        assert facts["HostConfig"]["Memory"] == 64 << 20
        container.update(mem_limit="32m", memswap_limit="64m")
        return facts["Config"], facts["HostConfig"]


@SCENES.scene
def lists(stage: Stage):
    name = stage.name("listed")
    with stage.py() as client, made(client, stage, ["sleep", "1000"], name=name) as container:
        mine = {"name": name}
        assert [each.id for each in client.containers.list(filters=mine)] == [container.id]
        container.kill()
        return [
            # First: lists may learn a moment after `kill` returned, and this waits for it.
            client.containers.get(name).status,
            [each.name for each in client.containers.list(filters=mine)],
            [each.name for each in client.containers.list(all=True, filters=mine)],
        ]


@SCENES.scene
def gated(stage: Stage):
    """With WEAVE_CIDR: gated and attached on the way with our hooks."""
    gate: dict[str, Any] = {"environment": ["WEAVE_CIDR=net:default", "WAIT_FOR_WEAVE_QUIET=yes"]}
    with stage.py() as client, made(client, stage, ["sh", "-c", "echo a; read b"], **gate) as one:
        said = one.logs(stream=True, follow=True)
        assert next(said)[:1] == b"a"
        ended = one.wait()
        one.restart(timeout=0)
        again = one.wait()
        one.remove()
        missing = failed(NotFound, one.start)
        return ended, again, bare(missing)


@SCENES.scene
def errors_by_their_classes(stage: Stage):
    name = stage.name("once")
    with (
        stage.py() as client,
        made(client, stage, ["sleep", "1000"], name=name) as container,
        made(client, stage, ["no-such-program"], start=False) as empty,
    ):
        errors = [
            failed(ImageNotFound, client.containers.create, stage.name("no-such")),
            failed(NotFound, client.containers.get, stage.name("no-such")),
            failed(APIError, client.containers.create, IMAGE, name=name),
            failed(APIError, client.containers.create, IMAGE, name="bad name"),
            failed(APIError, client.containers.create, IMAGE, mem_limit=1),
            failed(APIError, empty.start),
            failed(APIError, container.remove),
            failed(APIError, container.unpause),
            failed(APIError, container.kill, "NOSUCH"),
            failed(NotFound, container.get_archive, "/no/such"),
        ]
    statuses = [error.response.status_code for error in errors]
    assert statuses[:5] == [404, 404, 409, 400, 400]
    return [bare(error) for error in errors]
