"""What scenes of the docker client are played with, and what of them is compared."""

from __future__ import annotations

import os
import pty
import re
import subprocess

from tests.support.docker_cli import DockerCli, Result

# Differs between two runs straight to the engine, too.
VOLATILE = re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b|\d{4}-\d\d-\d\dT[0-9:.]+Z")


def told(result: Result) -> tuple[int, str, str]:
    return result.code, VOLATILE.sub("ID", result.out), VOLATILE.sub("ID", result.err)


def run(client: DockerCli, *words: str, stdin: bytes | None = None) -> tuple[int, str, str]:
    return told(client.docker(*words, stdin=stdin, check=False))


def created(client: DockerCli, *words: str) -> str:
    return client.docker("run", "-d", "--net=none", *words).out.strip()


def gone(client: DockerCli, container: str) -> None:
    client.docker("rm", "-f", "-v", container)


def on_terminal(
    client: DockerCli, *words: str, typed: bytes, first: bytes = b""
) -> tuple[int, str]:
    """The docker command with a terminal for its streams: exit code and all that it showed.

    `first` is typed at once, `typed` when the program says "ready"."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["docker", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=client.environment(),
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    with os.fdopen(ours, "r+b", buffering=0) as terminal:
        terminal.write(first)
        while b"ready" not in shown:
            shown += terminal.read(4096)
        terminal.write(typed)
        try:
            while piece := terminal.read(4096):
                shown += piece
        except OSError:  # EIO: nobody has the other end any more.
            pass
    return process.wait(timeout=60), VOLATILE.sub("ID", shown.decode())
