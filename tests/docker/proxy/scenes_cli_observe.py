"""What the docker client watches: logs, events, stats, top, ps, inspect, port."""

from __future__ import annotations

import json
import re
from datetime import timedelta

from tests.docker.proxy.scenes import IMAGE, RUN, Scenes, Stage, moment

SCENES = Scenes()


def now(stage: Stage, seconds: int = 0) -> str:
    """The engine's time, this much later."""
    said = stage.docker("system", "info", "-f", "{{.SystemTime}}").out.strip()
    return (moment(said) + timedelta(seconds=seconds)).isoformat()


@SCENES.scene
def logs_followed_to_the_end(stage: Stage):
    script = "for i in 1 2 3 4 5; do echo $i; echo $i >&2; usleep 50000; done"
    with stage.container(IMAGE, "sh", "-c", script) as container:
        said = stage.run("logs", "-f", container)
        assert sorted(said.out.split()) == sorted(said.err.split()) == list("12345")
        return said


@SCENES.scene
def logs_as_they_are_written(stage: Stage):
    """Each line is asked for when the one before was seen: nothing may be held back."""
    with (
        stage.container("-i", IMAGE, "sh", "-c", "while read a; do echo $a; done") as container,
        stage.popen("logs", "-f", container) as logs,
        stage.popen("attach", container) as attached,
    ):
        lines = []
        for word in (b"one\n", b"two\n", b"three\n"):
            attached.stdin.write(word)
            attached.stdin.flush()
            lines.append(logs.stdout.readline())
        stage.docker("kill", container)
        rest = logs.stdout.read()
        code = logs.wait(60)
    assert lines == [b"one\n", b"two\n", b"three\n"]
    return lines, rest, code


@SCENES.scene
def logs_followed_over_a_restart(stage: Stage):
    """What ends first, the container or its log, is alike."""
    with stage.container(IMAGE, "sh", "-c", "echo run; exec sleep 1000") as container:
        with stage.popen("logs", "-f", container) as logs:
            assert logs.stdout.readline() == b"run\n"
            stage.docker("restart", "-t", "0", container)
            stage.docker("kill", container)
            logs.communicate(timeout=60)
        said = stage.run("logs", container)
        assert said.out == "run\nrun\n"
        return logs.returncode, said


@SCENES.scene
def logs_in_part(stage: Stage):
    script = "seq 1 2000"
    with stage.container(IMAGE, "sh", "-c", script) as container:
        stage.docker("wait", container)
        timed = stage.run("logs", "-t", "-n", "2", container)
        assert timed.out.endswith("Z 2000\n")
        some = [
            stage.run("logs", "--tail", "3", container),
            stage.run("logs", "--details", "--tail", "1", container),
            stage.run("logs", "--since", "1h", "--until", "2030-01-01", container),
            stage.run("logs", "--until", "2020-01-01", container),
            stage.run("logs", "--since", "no time", container),
        ]
        assert some[0].out == "1998\n1999\n2000\n"
        assert some[2].out.endswith("\n2000\n")
        assert some[3].out == ""
        return timed, some


@SCENES.scene
def logs_of_a_terminal_and_of_no_driver(stage: Stage):
    with stage.container("-t", IMAGE, "sh", "-c", "echo out; echo err >&2") as container:
        stage.docker("wait", container)
        terminals = stage.run("logs", container)
    assert terminals.out == "out\r\nerr\r\n"
    with stage.container("--log-driver=none", IMAGE, "true") as container:
        stage.docker("wait", container)
        return terminals, stage.run("logs", container)


@SCENES.scene
def logs_of_megabytes(stage: Stage):
    script = "seq 1 50000"
    with stage.container(IMAGE, "sh", "-c", script) as container:
        stage.docker("wait", container)
        said = stage.run("logs", container)
        assert said.out.endswith("\n50000\n")
        return said


@SCENES.scene_alone
def events_of_a_span(stage: Stage):
    """The engine keeps the last 256 events only, of all that happens."""
    name = stage.name("evented")
    since = now(stage)
    stage.docker(*RUN, "--name", name, "--label", "a=b", IMAGE, "true")
    words = ("events", "--since", since, "--until", now(stage), "--filter", f"container={name}")
    said = stage.run(*words, "--format", "{{.Type}} {{.Action}} {{.Actor.Attributes.name}}")
    assert said.out.splitlines()[0] == f"container create {name}"
    assert said.out.splitlines()[-1] == f"container destroy {name}"
    some = stage.run(*words, "--filter", "event=die", "--filter", "type=container")
    assert len(some.out.splitlines()) == 1
    as_json = stage.run(*words, "--filter", "event=start", "--format", "{{json .}}")
    assert json.loads(as_json.out)["Actor"]["Attributes"]["a"] == "b"
    return said, some, stage.run(*words, "--filter", "no-such-filter=1")


@SCENES.scene
def events_as_they_happen(stage: Stage):
    with stage.container(IMAGE, "sleep", "1000", start=False) as container:
        words = ("--filter", f"container={container}", "--format", "{{.Action}}")
        seen = []
        # From the beginning: that the stream stands is seen by the first event.
        with stage.popen("events", "--since", "0", *words) as events:
            seen.append(events.stdout.readline())
            for verb in ("start", "pause", "unpause", "kill"):
                stage.docker(verb, container)
                seen.append(events.stdout.readline())
    assert seen == [b"create\n", b"start\n", b"pause\n", b"unpause\n", b"kill\n"]
    return seen


@SCENES.scene
def events_until_a_time_to_come(stage: Stage):
    """A quiet stream that the engine ends."""
    words = ("events", "--until", now(stage, 1), "--filter", f"container={stage.name('no-such')}")
    said = stage.run(*words)
    assert (said.code, said.out) == (0, "")
    return said


@SCENES.scene
def stats_once_and_streamed(stage: Stage):
    name = stage.name("measured")
    with stage.container("--name", name, IMAGE, "sleep", "1000") as container:
        once = stage.run("stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}", container)
        assert once.out.split()[0] == name
        with stage.popen("stats", "--format", "{{.Name}}", container) as stats:
            streamed = stats.stdout.readline()
        assert name.encode() in streamed
        return once, stage.run("stats", "--no-stream", stage.name("no-such"))


@SCENES.scene
def top(stage: Stage):
    with stage.container(IMAGE, "sleep", "1002") as container:
        said = stage.run("top", container, "-o", "pid,args").out.split(maxsplit=3)
        assert said[3] == "sleep 1002\n"
        wrong = stage.run("top", container, "--no-such-option")
        stage.docker("kill", container)
        return said[3], wrong.code, stage.run("top", container)


@SCENES.scene
def lists_of_containers(stage: Stage):
    name = stage.name("listed")
    with stage.container("--name", name, "--label", name, IMAGE, "sleep", "1000") as container:
        by_name = ("--filter", f"name={name}", "--no-trunc")
        columns = ("--format", "{{.ID}} {{.Image}} {{.Command}} {{.Names}} {{.Networks}}")
        said = stage.run("ps", *by_name, *columns)
        assert said.out.startswith(container)
        stage.docker("kill", container)
        return [
            said,
            # First: lists may learn a moment after `kill` returned, and this waits for it.
            stage.run("inspect", "-f", "{{.State.Status}}", container),
            stage.run("ps", *by_name, *columns),
            stage.run("ps", "-aq", *by_name),
            stage.run("ps", "-a", "--filter", f"label={name}", "--format", "{{.State}}"),
            stage.run("ps", "-a", "--filter", "status=no-such"),
            stage.run("ps", "--filter", "no-such=1"),
        ]


@SCENES.scene
def inspect(stage: Stage):
    name = stage.name("inspected")
    words = ("--name", name, "-e", "A=b", "-m", "64m", "--memory-swap=-1", "--hostname=h")
    with stage.container(*words, IMAGE, "true", start=False):
        said = stage.run("inspect", "--size", name)
        [found] = json.loads(said.out)
        assert (found["Name"], found["HostConfig"]["Memory"]) == (f"/{name}", 64 << 20)
        by_type = stage.run("inspect", "--type=volume", name)
        return found["Config"], found["HostConfig"], found["State"], by_type


@SCENES.scene
def ports(stage: Stage):
    words = ("--network=bridge", "-p", "127.0.0.1::80", "--expose=81")
    made = stage.run("run", "-d", *words, IMAGE, "sleep", "1000")
    container = made.out.strip()
    try:
        said = stage.run("port", container)
        assert said.out.startswith("80/tcp -> 127.0.0.1:")
        one = stage.run("port", container, "80/tcp")
        wrong = stage.run("port", container, "81")
        return re.sub(r":\d+\n", ":PORT\n", said.out + one.out), wrong
    finally:
        stage.docker("rm", "-f", container, check=False)
