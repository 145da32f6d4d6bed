"""`docker run` and its streams: foreground, stdin, -a, exit codes, what ends before what."""

from __future__ import annotations

import signal
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docker.proxy.scenes import IMAGE, RUN, Scenes, Stage

SCENES = Scenes()
MEGABYTES = 3_000_000
# The engine buffers 1 MB; of more, it drops what a slow reader has not taken 2 s after the end.
BUFFERED = 900_000


@SCENES.scene
def foreground(stage: Stage):
    said = stage.run(*RUN, IMAGE, "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (said.code, said.out, said.err) == (3, "out\n", "err\n")
    return said


@SCENES.scene
def stdin_to_its_end(stage: Stage):
    # wc speaks only after stdin's end: half-close must go through (haproxy#2684).
    said = stage.run(*RUN, "-i", IMAGE, "wc", "-c", stdin=b"x" * MEGABYTES)
    assert said.out == f"{MEGABYTES}\n"
    return said


@SCENES.scene
def stdin_that_is_empty(stage: Stage):
    said = stage.run(*RUN, "-i", IMAGE, "sh", "-c", "cat; echo end", stdin=b"")
    assert said.out == "end\n"
    return said


@SCENES.scene
def stdin_that_nobody_reads_to_its_end(stage: Stage):
    said = stage.run(*RUN, "-i", IMAGE, "head", "-c", "3", stdin=b"x" * MEGABYTES)
    assert (said.code, said.out) == (0, "xxx")
    return said


@SCENES.scene
def stdin_that_nobody_wants(stage: Stage):
    # Without -i the client does not read it.
    said = stage.run(*RUN, IMAGE, "sh", "-c", "cat; echo end", stdin=b"not for you")
    assert said.out == "end\n"
    return said


@SCENES.scene
def much_output(stage: Stage):
    said = stage.run(*RUN, IMAGE, "sh", "-c", f"head -c {BUFFERED} /dev/zero | tr '\\0' a")
    assert len(said.out) == BUFFERED
    return said


@SCENES.scene
def much_both_ways_at_once(stage: Stage):
    sent = bytes(range(256)) * 3500
    said = stage.run(*RUN, "-i", IMAGE, "cat", stdin=sent)
    assert said.out.encode(errors="surrogateescape") == sent
    return said


@SCENES.scene
def a_conversation(stage: Stage):
    """Each word waits for the answer to the one before it: nothing may be held back."""
    script = "while read a; do echo got $a; done; exit 4"
    with stage.popen(*RUN, "-i", IMAGE, "sh", "-c", script) as run:
        answers = []
        for word in (b"one\n", b"two\n", b"three\n"):
            run.stdin.write(word)
            run.stdin.flush()
            answers.append(run.stdout.readline())
        out, err = run.communicate(timeout=60)
    assert answers == [b"got one\n", b"got two\n", b"got three\n"]
    return answers, out, err, run.returncode


@SCENES.scene
def only_one_of_the_streams(stage: Stage):
    script = ("sh", "-c", "echo out; echo err >&2; exit 2")
    out = stage.run(*RUN, "-a", "stdout", IMAGE, *script)
    err = stage.run(*RUN, "-a", "stderr", IMAGE, *script)
    assert (out.out, out.err) == ("out\n", "")
    assert (err.out, err.err) == ("", "err\n")
    return out, err, stage.run(*RUN, "-a", "stdout", "-a", "stderr", IMAGE, *script)


@SCENES.scene
def stdin_with_one_of_the_streams(stage: Stage):
    words = ("-i", "-a", "stdin", "-a", "stdout", IMAGE, "sh", "-c", "cat; echo err >&2")
    said = stage.run(*RUN, *words, stdin=b"through\n")
    assert (said.out, said.err) == ("through\n", "")
    return said


@SCENES.scene
def stdin_alone(stage: Stage):
    """Prints the id only, and the container gets what it was told."""
    name = stage.name("stdin-alone")
    words = ("-i", "-a", "stdin", "--name", name, IMAGE, "sh", "-c", "cat; exit 5")
    said = stage.run("run", "--net=none", *words, stdin=b"told\n")
    try:
        ended = stage.run("wait", name)
        logs = stage.run("logs", name)
        assert (ended.out, logs.out) == ("5\n", "told\n")
        return said, ended, logs
    finally:
        stage.docker("rm", "-f", name, check=False)


@SCENES.scene
def attach_to_all_of_nothing(stage: Stage):
    both = stage.run(*RUN, "-d", "-a", "stdout", IMAGE, "true")
    wrong = stage.run(*RUN, "-a", "no-such-stream", IMAGE, "true")
    assert both.code
    assert wrong.code == 125
    return both, wrong


@SCENES.scene
def exit_codes(stage: Stage):
    scripts = (
        "exit 0",
        "exit 1",
        "exit 255",
        "sh -c 'kill -9 $$'; exit $?",
        "no-such-command",
        "/bin",
    )
    said = [stage.run(*RUN, IMAGE, "sh", "-c", script) for script in scripts]
    assert [each.code for each in said] == [0, 1, 255, 137, 127, 126]
    return said


@SCENES.scene
def exit_codes_of_what_cannot_be_started(stage: Stage):
    missing = stage.run(*RUN, IMAGE, "no-such-program")
    folder = stage.run(*RUN, IMAGE, "/tmp")
    assert (missing.code, folder.code) == (127, 126)
    return missing, folder


@SCENES.scene
def a_file_of_the_environment(stage: Stage):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "env"
        path.write_text("A=from the file\nB=file's\n# no=variable\nHERE\n")
        words = ("--env-file", str(path), "-e", "B=word's", "-e", "C=")
        said = stage.run(*RUN, *words, IMAGE, "env", env={"HERE": "client's"})
    assert {"A=from the file", "B=word's", "C=", "HERE=client's"} <= set(said.out.splitlines())
    return sorted(line for line in said.out.splitlines() if not line.startswith("HOSTNAME="))


@SCENES.scene
def a_file_for_the_id(stage: Stage):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cid"
        first = stage.run("run", "-d", "--net=none", "--cidfile", str(path), IMAGE, "true")
        written = path.read_text()
        again = stage.run(*RUN, "--cidfile", str(path), IMAGE, "true")
        stage.docker("rm", "-f", written)
    assert first.out.strip() == written
    return first, written, again.code


@SCENES.scene
def detached_and_removed_at_its_end(stage: Stage):
    name = stage.name("removed")
    gone = ("events", "--since", "0", "--filter", f"container={name}", "--filter", "event=destroy")
    with stage.popen(*gone, "--format", "{{.Action}}") as events:
        started = stage.run(*RUN, "-d", "--name", name, IMAGE, "true")
        assert events.stdout.readline() == b"destroy\n"
    missing = stage.run("inspect", name)
    assert missing.code == 1
    return started, missing


@SCENES.scene
def what_a_container_is_given(stage: Stage):
    script = "busybox hostname; id -u; pwd; ls -ld /s /t | cut -c1-10; grep -c /t /proc/mounts"
    words = ("--hostname=host", "--user=1000", "--workdir=/etc", "--tmpfs=/t", "--read-only")
    limits = ("--mount", "type=tmpfs,dst=/s", "--cap-drop=ALL", "--ulimit=nofile=100")
    said = stage.run(*RUN, *words, *limits, "--label=a=b", IMAGE, "sh", "-c", script)
    assert said.out.startswith("host\n1000\n/etc\n")
    return said


@SCENES.scene
def signals_to_the_client_reach_the_container(stage: Stage):
    script = "trap 'echo caught; exit 9' TERM; echo ready; while :; do usleep 10000; done"
    with stage.popen(*RUN, IMAGE, "sh", "-c", script) as run:
        assert run.stdout.readline() == b"ready\n"
        run.send_signal(signal.SIGTERM)
        out, err = run.communicate(timeout=60)
    assert (out, run.returncode) == (b"caught\n", 9)
    return out, err, run.returncode


@SCENES.scene
def a_client_that_is_killed_leaves_the_container_running(stage: Stage):
    name = stage.name("left")
    words = ("--name", name, IMAGE, "sh", "-c", "echo ready; exec sleep 1000")
    try:
        with stage.popen("run", "--net=none", *words) as run:
            assert run.stdout.readline() == b"ready\n"
            run.kill()
        running = stage.run("inspect", "-f", "{{.State.Running}}", name)
        assert running.out == "true\n"
        return running
    finally:
        stage.docker("rm", "-f", name, check=False)


@SCENES.scene
def an_init_and_orphans(stage: Stage):
    """No --init: docker-init may be missing. An orphan that holds stdout holds the client."""
    said = stage.run(*RUN, IMAGE, "sh", "-c", "(usleep 200000; echo late) & echo early")
    assert said.out.startswith("early\n")
    return said
