"""A container's life: wait, kill, stop, restart policies, pause, update, rename, health, rm."""

from __future__ import annotations

from tests.docker.proxy.scenes import IMAGE, Scenes, Stage

SCENES = Scenes()
CATCH = 'for s in HUP USR1 TERM; do trap "echo $s" $s; done; echo ready; '
CATCH += "until [ -e /tmp/end ]; do usleep 10000; done"


def until_logged(stage: Stage, container: str, line: str) -> None:
    with stage.popen("logs", "-f", container) as logs:
        for said in logs.stdout:
            if said == f"{line}\n".encode():
                return
    raise AssertionError(f"{container} never said {line}")


def until_died(stage: Stage, container: str, times: int) -> None:
    died = ("--filter", f"container={container}", "--filter", "event=die")
    with stage.popen("events", "--since", "0", *died, "--format", "{{.Action}}") as events:
        for _ in range(times):
            assert events.stdout.readline() == b"die\n"


@SCENES.scene
def wait(stage: Stage):
    with stage.container(IMAGE, "sh", "-c", "usleep 300000; exit 9") as container:
        said = stage.run("wait", container), stage.run("wait", container)
        assert [each.out for each in said] == ["9\n", "9\n"]
        return said, stage.run("wait", stage.name("no-such"))


@SCENES.scene
def wait_for_several(stage: Stage):
    with (
        stage.container(IMAGE, "sh", "-c", "usleep 400000; exit 1") as one,
        stage.container(IMAGE, "sh", "-c", "exit 2") as two,
    ):
        said = stage.run("wait", one, stage.name("no-such"), two)
        assert said.out == "1\n2\n"
        return said


@SCENES.scene
def wait_that_is_ended_by_rm(stage: Stage):
    with stage.container(IMAGE, "sleep", "1000") as container:
        with stage.popen("wait", container) as waiting:
            said = stage.run("rm", "-f", container)
            out, err = waiting.communicate(timeout=60)
        assert said.code == 0
        # It may ask after the container is gone: then there is none, straight too.
        assert out == b"137\n" or b"No such container" in err
        return said


@SCENES.scene
def kill_with_signals(stage: Stage):
    with stage.container(IMAGE, "sh", "-c", CATCH) as container:
        until_logged(stage, container, "ready")
        said = []
        for word in ("HUP", "SIGUSR1", "15"):
            said.append(stage.run("kill", "-s", word, container))
            heard = {"SIGUSR1": "USR1", "15": "TERM"}.get(word, word)
            until_logged(stage, container, heard)
        said += [stage.run("kill", "-s", "NOSUCH", container), stage.run("kill", container)]
        logs = stage.run("logs", container)
        assert logs.out == "ready\nHUP\nUSR1\nTERM\n"
        return said, logs, stage.run("kill", container), stage.run("wait", container)


@SCENES.scene
def stop(stage: Stage):
    script = "trap 'exit 3' TERM; echo ready; while :; do usleep 10000; done"
    with stage.container(IMAGE, "sh", "-c", script) as container:
        until_logged(stage, container, "ready")
        stopped = stage.run("stop", container)
        ended = stage.run("wait", container)
        assert ended.out == "3\n"
        again = stage.run("stop", container)
    with stage.container("--stop-signal=USR1", IMAGE, "sleep", "1000") as container:
        # The kernel drops for pid 1 what it does not handle: killed when the time is up.
        killed = stage.run("stop", "-t", "1", container)
        assert stage.run("wait", container).out == "137\n"
    return stopped, ended, again, killed, stage.run("stop", stage.name("no-such"))


@SCENES.scene
def restart(stage: Stage):
    with stage.container(IMAGE, "sh", "-c", "echo run; exec sleep 1000") as container:
        first = stage.run("restart", "-t", "0", container)
        stage.docker("kill", container)
        stage.docker("wait", container)
        second = stage.run("restart", "-t", "0", container)
        until_logged(stage, container, "run")
        count = stage.run("logs", container)
        assert set(count.out.split()) == {"run"}
        return first, second, stage.run("restart", stage.name("no-such"))


@SCENES.scene
def restart_policy_to_its_end(stage: Stage):
    words = ("--restart=on-failure:2", IMAGE, "sh", "-c", "echo run; exit 3")
    with stage.container(*words) as container:
        until_died(stage, container, times=3)
        ended = stage.run("wait", container)
        count = stage.run("inspect", "-f", "{{.RestartCount}} {{.State.ExitCode}}", container)
        assert ended.out == "3\n"
        assert count.out == "2 3\n"
        return ended, count, stage.run("logs", container)


@SCENES.scene
def attach_while_it_restarts(stage: Stage):
    """The engine waits longer after each end: at the fourth, 0.8 s."""
    words = ("--restart=always", IMAGE, "sh", "-c", "exit 3")
    with stage.container(*words) as container:
        until_died(stage, container, times=5)
        said = stage.run("attach", container)
        stopped = stage.run("stop", container)
        assert stopped.code == 0
        # The client refuses it, or the engine: by whether it restarts when the client looks.
        assert "restarting container" in said.err or "received 409" in said.err
        return said.code, stopped


@SCENES.scene
def pause(stage: Stage):
    with stage.container(IMAGE, "sleep", "1000") as container:
        paused = stage.run("pause", container)
        state = stage.run("inspect", "-f", "{{.State.Status}}", container)
        assert state.out == "paused\n"
        again = stage.run("pause", container)
        resumed = stage.run("unpause", container)
        return paused, state, again, resumed, stage.run("unpause", container)


@SCENES.scene
def rename(stage: Stage):
    one, two = stage.name("one"), stage.name("two")
    with (
        stage.container("--name", one, IMAGE, "true", start=False) as container,
        stage.container("--name", two, IMAGE, "true", start=False),
    ):
        renamed = stage.run("rename", one, stage.name("three"))
        name = stage.run("inspect", "-f", "{{.Name}}", container)
        assert name.out == f"/{stage.name('three')}\n"
        return [
            *(renamed, name, stage.run("rename", container, two), stage.run("rename", one, "x")),
            stage.run("rename", container, "bad name"),
        ]


@SCENES.scene
def update(stage: Stage):
    with stage.container("-m", "64m", "--memory-swap=-1", IMAGE, "sleep", "1000") as container:
        updated = stage.run("update", "--pids-limit=77", "--restart=on-failure:5", container)
        words = "{{.HostConfig.PidsLimit}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}"
        shown = stage.run("inspect", "-f", words, container)
        assert shown.out == "77 5\n"
        wrong = stage.run("update", "-m", "1", container)
        return updated, shown, wrong, stage.run("update", "-m", "1g", stage.name("no-such"))


@SCENES.scene
def health(stage: Stage):
    words = ("--health-cmd=test -e /tmp/well", "--health-interval=200ms", "--health-retries=1")
    with stage.container(*words, IMAGE, "sleep", "1000") as container:
        only = ("--filter", f"container={container}", "--filter", "event=health_status")
        states = []
        with stage.popen("events", "--since", "0", *only, "--format", "{{.Action}}") as events:
            states.append(events.stdout.readline())
            stage.docker("exec", container, "touch", "/tmp/well")
            states.append(events.stdout.readline())
        assert states == [b"health_status: unhealthy\n", b"health_status: healthy\n"]
        return states, stage.run("inspect", "-f", "{{.State.Health.Status}}", container)


@SCENES.scene
def remove(stage: Stage):
    volume = stage.name("anonymous")
    # Named, since 26.1 names it where it refuses.
    words = ("--name", stage.name("removed"), "-v", f"{volume}:/v")
    with stage.container(*words, IMAGE, "sleep", "1000") as container:
        running = stage.run("rm", container)
        used = stage.run("volume", "rm", volume)
        forced = stage.run("rm", "-f", container)
        assert (running.code, used.code, forced.code) == (1, 1, 0)
        again = stage.run("rm", container)
        return running, used, forced, again, stage.run("volume", "rm", volume)


@SCENES.scene
def create_and_diff(stage: Stage):
    script = "echo a > /tmp/a; rm /bin/tty; mkdir /new"
    with stage.container(IMAGE, "sh", "-c", script) as container:
        stage.docker("wait", container)
        said = stage.run("diff", container)
        assert {"A /tmp/a", "D /bin/tty", "A /new"} <= set(said.out.splitlines())
        return sorted(said.out.splitlines()), stage.run("diff", stage.name("no-such"))
