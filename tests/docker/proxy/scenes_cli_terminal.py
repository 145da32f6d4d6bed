"""The docker client on a terminal: run, exec and attach with -t, detach keys, sizes."""

from __future__ import annotations

from tests.docker.proxy.scenes import IMAGE, RUN, Scenes, Stage
from tests.docker.proxy.terminal import terminal

SCENES = Scenes()
ASK_TO_THE_END = "echo ready; while read a; do echo got $a; done; exit 4"
SIZE = "for i in $(seq 500); do stty size; usleep 50000; done"


@SCENES.scene
def run(stage: Stage):
    script = "tty; echo ready; read a; echo got $a; exit 4"
    with terminal(stage, *RUN, "-it", IMAGE, "sh", "-c", script) as shown:
        shown.until(b"ready")
        shown.type(b"hello\n")
        code, text = shown.end()
    assert code == 4
    assert "got hello" in text
    return code, text


@SCENES.scene
def run_with_a_terminal_but_no_stdin(stage: Stage):
    with terminal(stage, *RUN, "-t", IMAGE, "sh", "-c", "tty; echo out; exit 2") as shown:
        code, text = shown.end()
    assert (code, "out" in text) == (2, True)
    return code, text


@SCENES.scene
def a_terminal_for_the_container_alone(stage: Stage):
    """-t with pipes: the client refuses stdin, else all of both streams is stdout."""
    out = stage.run(*RUN, "-t", IMAGE, "sh", "-c", "echo out; echo err >&2")
    assert out.out == "out\r\nerr\r\n"
    return out, stage.run(*RUN, "-it", IMAGE, "true", stdin=b"x")


@SCENES.scene
def end_of_file_by_key(stage: Stage):
    with terminal(stage, *RUN, "-it", IMAGE, "sh", "-c", ASK_TO_THE_END) as shown:
        shown.until(b"ready")
        shown.type(b"a\n\x04")
        code, text = shown.end()
    assert code == 4
    return code, text


@SCENES.scene
def interrupt_by_key(stage: Stage):
    script = "trap 'echo caught; exit 7' INT; echo ready; while :; do usleep 10000; done"
    with terminal(stage, *RUN, "-it", IMAGE, "sh", "-c", script) as shown:
        shown.until(b"ready")
        shown.type(b"\x03")
        code, text = shown.end()
    assert code == 7
    assert "caught" in text
    return code, text


@SCENES.scene
def size_and_resize(stage: Stage):
    name = stage.name("sized")
    words = ("--name", name, IMAGE, "sh", "-c", SIZE)
    with terminal(stage, *RUN, "-it", *words, rows=33, columns=101) as shown:
        shown.until(b"33 101\r\n")
        shown.resize(44, 99)
        shown.until(b"44 99\r\n", resized=True)
        stage.docker("kill", name)
        code, _ = shown.end()
    assert code == 137
    return code


@SCENES.scene
def size_and_resize_of_exec(stage: Stage):
    with stage.container(IMAGE, "sleep", "1000") as container:
        words = ("exec", "-it", container, "sh", "-c", SIZE)
        with terminal(stage, *words, rows=33, columns=101) as shown:
            shown.until(b"33 101\r\n")
            shown.resize(44, 99)
            shown.until(b"44 99\r\n", resized=True)
            shown.type(b"\x03")
            code, _ = shown.end()
        assert code == 130
        return code


@SCENES.scene
def detach_from_run(stage: Stage):
    name = stage.name("left")
    try:
        words = ("run", "--net=none", "-it", "--name", name, IMAGE, "sh", "-c", ASK_TO_THE_END)
        with terminal(stage, *words) as shown:
            shown.until(b"ready")
            shown.type(b"\x10\x11")
            code, text = shown.end()
        running = stage.run("inspect", "-f", "{{.State.Running}}", name)
        assert (code, running.out) == (0, "true\n")
        return code, text, running
    finally:
        stage.docker("rm", "-f", name, check=False)


@SCENES.scene
def detach_by_other_keys_and_attach_again(stage: Stage):
    with stage.container("-it", IMAGE, "sh", "-c", ASK_TO_THE_END) as container:
        with terminal(stage, "attach", "--detach-keys=ctrl-a,x", container) as shown:
            shown.type(b"one\n")
            shown.until(b"got one")
            # The first key alone is the program's, held back until it is clear whose it is.
            shown.type(b"\x01x")
            code, _ = shown.end()
        running = stage.run("inspect", "-f", "{{.State.Running}}", container)
        assert running.out == "true\n"
        with terminal(stage, "attach", container) as shown:
            shown.type(b"two\n")
            shown.until(b"got two")
            shown.type(b"\x04")
            again, _ = shown.end()
        logs = stage.run("logs", container)
        assert again == 4
        return code, running, again, logs


@SCENES.scene
def detach_from_exec(stage: Stage):
    with stage.container(IMAGE, "sleep", "1000") as container:
        with terminal(stage, "exec", "-it", container, "sh", "-c", ASK_TO_THE_END) as shown:
            shown.until(b"ready")
            shown.type(b"\x10\x11")
            code, text = shown.end()
        return code, text


@SCENES.scene
def exec_with_a_conversation(stage: Stage):
    with stage.container(IMAGE, "sleep", "1000") as container:
        with terminal(stage, "exec", "-it", container, "sh", "-c", ASK_TO_THE_END) as shown:
            shown.until(b"ready")
            shown.type(b"one\n")
            shown.until(b"got one")
            shown.type(b"\x04")
            code, text = shown.end()
        assert code == 4
        return code, text


@SCENES.scene
def start_on_a_terminal(stage: Stage):
    with stage.container("-it", IMAGE, "sh", "-c", ASK_TO_THE_END, start=False) as container:
        with terminal(stage, "start", "-ai", container) as shown:
            shown.until(b"ready")
            shown.type(b"one\n\x04")
            code, text = shown.end()
        assert code == 4
        return code, text


@SCENES.scene
def much_output(stage: Stage):
    script = "head -c 900000 /dev/zero | tr '\\0' a"
    with terminal(stage, *RUN, "-it", IMAGE, "sh", "-c", script) as shown:
        code, text = shown.end()
    assert (code, len(text)) == (0, 900_000)
    return code, text
