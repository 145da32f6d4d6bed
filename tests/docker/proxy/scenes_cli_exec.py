"""`docker exec`, `attach` and `start -a`: streams to containers that run already."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docker.proxy.scenes import IMAGE, Scenes, Stage

SCENES = Scenes()
# Less than what the engine buffers: it drops what a slow reader has not taken in time.
MUCH = b"0123456789abcdef" * 55_000


@SCENES.scene
def streams_and_exit_code(stage: Stage):
    with stage.container(IMAGE, "sleep", "1000") as container:
        script = "cat; echo err >&2; exit 5"
        said = stage.run("exec", "-i", container, "sh", "-c", script, stdin=MUCH)
        assert (said.code, said.out, said.err) == (5, MUCH.decode(), "err\n")
        return said, stage.run("exec", container, "echo", "a")


@SCENES.scene
def stdin_to_its_end(stage: Stage):
    with stage.container(IMAGE, "sleep", "1000") as container:
        said = stage.run("exec", "-i", container, "wc", "-c", stdin=MUCH)
        assert said.out == f"{len(MUCH)}\n"
        return said, stage.run("exec", "-i", container, "wc", "-c", stdin=b"")


@SCENES.scene
def what_it_is_given(stage: Stage):
    with stage.container(IMAGE, "sleep", "1000") as container, TemporaryDirectory() as folder:
        path = Path(folder) / "env"
        path.write_text("A=from the file\n")
        words = ("--env-file", str(path), "-e", "B=word's", "-u", "1000:7", "-w", "/tmp")
        said = stage.run("exec", *words, container, "sh", "-c", "echo $A $B; id -u; id -g; pwd")
        assert said.out == "from the file word's\n1000\n7\n/tmp\n"
        return said


@SCENES.scene
def detached(stage: Stage):
    script = "until [ -e /tmp/told ]; do usleep 10000; done; echo told"
    with stage.container(IMAGE, "sh", "-c", script) as container:
        said = stage.run("exec", "-d", container, "touch", "/tmp/told")
        ended = stage.run("wait", container)
        logs = stage.run("logs", container)
        assert logs.out == "told\n"
        return said, ended, logs


@SCENES.scene
def errors(stage: Stage):
    with stage.container(IMAGE, "sleep", "1000") as container:
        said = [
            stage.run("exec", container, "no-such-program"),
            stage.run("exec", container, "/tmp"),
            stage.run("exec", "-w", "/no/such", container, "true"),
            stage.run("exec", "-u", "nobody-here", container, "true"),
            stage.run("exec", stage.name("no-such"), "true"),
        ]
        stage.docker("pause", container)
        said.append(stage.run("exec", container, "true"))
        stage.docker("unpause", container)
        stage.docker("kill", container)
        said.append(stage.run("exec", container, "true"))
        assert all(each.code for each in said)
        return said


@SCENES.scene
def the_container_ends_under_it(stage: Stage):
    with stage.container(IMAGE, "sleep", "1000") as container:
        words = ("exec", "-i", container, "sh", "-c", "echo ready; sleep 1000")
        with stage.popen(*words) as process:
            assert process.stdout.readline() == b"ready\n"
            stage.docker("kill", container)
            out, err = process.communicate(timeout=60)
        assert process.returncode == 137
        return out, err, process.returncode


@SCENES.scene
def many_at_once(stage: Stage):
    with stage.container(IMAGE, "sleep", "1000") as container:
        script = 'read a; echo "$0 $a"; exit $0'
        said = []
        with (
            stage.popen("exec", "-i", container, "sh", "-c", script, "1") as one,
            stage.popen("exec", "-i", container, "sh", "-c", script, "2") as two,
        ):
            for process in (two, one):
                out, err = process.communicate(b"asked\n", timeout=60)
                said.append((process.returncode, out, err))
        assert [code for code, _, _ in said] == [2, 1]
        return said


@SCENES.scene
def attach_and_be_answered(stage: Stage):
    with stage.container("-i", IMAGE, "sh", "-c", "read a; echo got $a; exit 6") as container:
        with stage.popen("attach", container) as attached:
            attached.stdin.write(b"a line\n")
            attached.stdin.flush()
            # Stdin stays open until then: straight too, attach may end with it, before the output.
            out = attached.stdout.read()
            code = attached.wait(60)
        assert (code, out) == (6, b"got a line\n")
        return code, out


@SCENES.scene
def attach_without_stdin(stage: Stage):
    script = "until [ -e /tmp/go ]; do usleep 10000; done; echo out; echo err >&2; exit 3"
    with stage.container(IMAGE, "sh", "-c", script) as container:
        # The event says that the engine has attached us.
        words = ("events", "--since", "0", "--filter", f"container={container}")
        with (
            stage.popen(*words, "--filter", "event=attach", "--format", "{{.Action}}") as events,
            stage.popen("attach", "--no-stdin", container) as attached,
        ):
            assert events.stdout.readline() == b"attach\n"
            # The container's end may end this one first.
            stage.run("exec", container, "touch", "/tmp/go")
            out, err = attached.communicate(timeout=60)
        assert attached.returncode == 3
        return attached.returncode, out, err


@SCENES.scene
def attach_to_what_does_not_run(stage: Stage):
    with stage.container(IMAGE, "sleep", "1000") as container:
        stage.docker("pause", container)
        paused = stage.run("attach", container)
        stage.docker("unpause", container)
        stage.docker("kill", container)
        ended = stage.run("attach", container)
        missing = stage.run("attach", stage.name("no-such"))
        assert paused.code == ended.code == missing.code == 1
        return paused, ended, missing


@SCENES.scene
def start_and_attach(stage: Stage):
    with stage.container("-i", IMAGE, "sh", "-c", "cat; exit 6", start=False) as container:
        said = stage.run("start", "-a", "-i", container, stdin=b"to the end")
        assert (said.code, said.out) == (6, "to the end")
        again = stage.run("start", "-a", "-i", container, stdin=b"once more")
        assert again.out == "once more"
        return said, again


@SCENES.scene
def start_several(stage: Stage):
    with (
        stage.container(IMAGE, "sh", "-c", "exit 1", start=False) as one,
        stage.container(IMAGE, "no-such-program", start=False) as two,
    ):
        said = stage.run("start", one, two, stage.name("no-such"))
        assert said.code == 1
        return said, stage.run("wait", one, two)


@SCENES.scene
def start_attached_of_what_cannot_start(stage: Stage):
    with stage.container(IMAGE, "no-such-program", start=False) as container:
        said = stage.run("start", "-a", container)
        assert said.code
        return said
