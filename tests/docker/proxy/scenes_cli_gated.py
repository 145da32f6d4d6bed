"""Containers with WEAVE_CIDR: on the way with our hooks they are gated and attached; what a user
sees of their commands is the same as straight at the engine, where it is a variable like others."""

from __future__ import annotations

import json
import signal

from tests.docker.proxy.scenes import GATED, IMAGE, RUN, Scenes, Stage
from tests.docker.proxy.scenes_cli_life import until_died
from tests.docker.proxy.terminal import terminal

SCENES = Scenes()


@SCENES.scene
def streams_and_exit_codes(stage: Stage):
    said = stage.run(
        *RUN, *GATED, "-i", IMAGE, "sh", "-c", "cat; echo err >&2; exit 3", stdin=b"in"
    )
    assert (said.code, said.out, said.err) == (3, "in", "err\n")
    big = stage.run(*RUN, *GATED, "-i", IMAGE, "wc", "-c", stdin=b"x" * 1_000_000)
    assert big.out == "1000000\n"
    return said, big, stage.run(*RUN, *GATED, IMAGE, "sh", "-c", "sh -c 'kill -9 $$'; exit $?")


@SCENES.scene
def a_terminal(stage: Stage):
    script = "tty; echo ready; read a; echo got $a; exit 4"
    with terminal(stage, *RUN, *GATED, "-it", IMAGE, "sh", "-c", script) as shown:
        shown.until(b"ready")
        shown.type(b"hello\n")
        code, text = shown.end()
    assert (code, "got hello" in text) == (4, True)
    return code, text


@SCENES.scene
def detach_and_attach(stage: Stage):
    script = "while read a; do echo got $a; done; exit 4"
    with stage.container(*GATED, "-it", IMAGE, "sh", "-c", script) as container:
        with terminal(stage, "attach", container) as shown:
            shown.type(b"one\n")
            shown.until(b"got one")
            shown.type(b"\x10\x11")
            detached, _ = shown.end()
        said = stage.run("logs", container)
        assert "got one" in said.out
        return detached, said, stage.run("rm", "-f", container)


@SCENES.scene
def entrypoints_and_commands(stage: Stage):
    said = [
        stage.run(*RUN, *GATED, "--entrypoint", "echo", IMAGE, "-n", "a  b"),
        stage.run(*RUN, *GATED, "--entrypoint", "", IMAGE, "echo", "-x"),
        stage.run(*RUN, *GATED, IMAGE, "sh", "-c", 'echo $$ "$0" "$@"', "zero", "", "*", "a b"),
        stage.run(
            *RUN, *GATED, "-w", "/etc", "-u", "1000:7", IMAGE, "sh", "-c", "pwd; id -u; id -g"
        ),
        stage.run(*RUN, *GATED, "--read-only", "--cap-drop=ALL", IMAGE, "echo", "bare"),
    ]
    assert [each.out[:4] for each in said] == ["a  b", "-x\n", "1 ze", "/etc", "bare"]
    return said


@SCENES.scene
def the_environment_as_it_was(stage: Stage):
    words = ("-e", "A=", "-e", "B=b c", "-e", "LD_LIBRARY_PATH=/no", "--hostname=h")
    said = stage.run(*RUN, *GATED, *words, IMAGE, "env")
    assert "LD_LIBRARY_PATH=/no\n" in said.out
    # The engine has no order for what it was given.
    return sorted(said.out.splitlines())


@SCENES.scene
def signals(stage: Stage):
    script = "trap 'echo caught; exit 9' TERM; echo ready; while :; do usleep 10000; done"
    with stage.popen(*RUN, *GATED, IMAGE, "sh", "-c", script) as run:
        assert run.stdout.readline() == b"ready\n"
        run.send_signal(signal.SIGTERM)
        out, err = run.communicate(timeout=60)
    assert (out, run.returncode) == (b"caught\n", 9)
    return out, err, run.returncode


@SCENES.scene
def restart_policy(stage: Stage):
    words = ("--restart=on-failure:2", *GATED, IMAGE, "sh", "-c", "echo run; exit 3")
    with stage.container(*words) as container:
        until_died(stage, container, times=3)
        count = stage.run("inspect", "-f", "{{.RestartCount}}", container)
        assert count.out == "2\n"
        return count, stage.run("wait", container), stage.run("logs", container)


@SCENES.scene
def stop_start_and_restart(stage: Stage):
    script = "trap 'exit 5' TERM; echo up; while :; do usleep 10000; done"
    with stage.container(*GATED, IMAGE, "sh", "-c", script) as container:
        said = []
        for verb in ("restart", "stop", "start"):
            with stage.popen("logs", "-f", "--since", "0", container) as logs:
                assert logs.stdout.readline() == b"up\n"
            said.append(stage.run(verb, container))
        assert all(each.code == 0 for each in said)
        return said, stage.run("exec", container, "echo", "in")


@SCENES.scene
def commit_of_a_gated_one(stage: Stage):
    """What is made of its image is gated once, and runs what it ran (weave#979)."""
    name = stage.name("of-gated")
    with stage.container(*GATED, IMAGE, "echo", "said") as container:
        stage.docker("wait", container)
        committed = stage.run("commit", container, name)
    ran = stage.run(*RUN, *GATED, name)
    without = stage.run(*RUN, "-e", "WEAVE_CIDR=none", name)
    assert ran.out == without.out == "said\n"
    return committed, ran, without, stage.run("rmi", name).code


@SCENES.scene
def left_alone(stage: Stage):
    none = stage.run(*RUN, "-e", "WEAVE_CIDR=none", IMAGE, "echo", "none")
    host = stage.run("run", "--rm", "--net=host", *GATED, IMAGE, "echo", "host")
    assert (none.out, host.out) == ("none\n", "host\n")
    with stage.container("-e", "WEAVE_CIDR=none", IMAGE, "true", start=False) as container:
        [found] = json.loads(stage.docker("inspect", container).out)
    return none, host, found["Config"], found["HostConfig"]


@SCENES.scene
def errors(stage: Stage):
    name = stage.name("no-such")
    said = [
        stage.run(*RUN, *GATED, "--pull=never", name),
        stage.run(*RUN, *GATED, "--name", "bad name", IMAGE),
        stage.run(*RUN, *GATED, "--memory=1", IMAGE),
    ]
    assert [each.code for each in said] == [125, 125, 125]
    return said


@SCENES.scene
def commands_that_cannot_run(stage: Stage):
    """The same codes; the words are the engine's or the gate's."""
    missing = stage.run(*RUN, *GATED, IMAGE, "no-such-program")
    folder = stage.run(*RUN, *GATED, IMAGE, "/tmp")
    assert (missing.code, folder.code) == (127, 126)
    return missing.code, folder.code
