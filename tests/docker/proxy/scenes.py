"""What the scenes are played with: a client on one of the ways to the engine, and what of its
answers is compared.

A scene is a function of a Stage. It does something with the docker client or docker-py, asserts
that this did what it was for, and returns what a user would see; that is the same on each way.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import docker

from tests.support import images
from tests.support.docker_cli import DockerCli, Result

IMAGE = images.BUSYBOX
RUN = ("run", "--rm", "--net=none")
# Slow machines would be told that the gate waits.
GATED = ("-e", "WEAVE_CIDR=net:default", "-e", "WAIT_FOR_WEAVE_QUIET=yes")

# Differs between two runs straight to the engine, too: ids, times, the names of unpacked images.
VOLATILE = re.compile(
    r"\b(?:sha256:)?[0-9a-f]{64}\b|\b[0-9a-f]{12}\b|\d{4}-\d\d-\d\dT[0-9:.]+Z"
    r"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? \+0000(?: UTC)?|docker-import-\d+"
)

LONG = 4000


class NotHereError(Exception):
    """What the scene plays is not on this machine or engine; says what."""


class Stage(DockerCli):
    """The docker client and docker-py on one way to the engine.

    Scenes are played side by side on the same engine, each on all ways: `tag`, of the same length
    for each, keeps their names apart, and is the same word again where answers are compared.
    """

    def __init__(self, url: str, tag: str) -> None:
        super().__init__(url)
        self.tag = tag

    def name(self, base: str) -> str:
        return f"{base}-{self.tag}"

    def run(
        self, *words: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None
    ) -> Result:
        """`docker WORDS`, whatever its exit code."""
        return self.docker(*words, stdin=stdin, env=env, check=False)

    @contextmanager
    def container(self, *words: str, start: bool = True) -> Iterator[str]:
        """The id of a container made by `docker run -d WORDS`, or only created; removed then."""
        verb = ("run", "-d") if start else ("create",)
        made = self.docker(*verb, "--net=none", *words).out.strip()
        try:
            yield made
        finally:
            self.docker("rm", "-f", "-v", made, check=False)

    @contextmanager
    def popen(self, *words: str, env: Mapping[str, str] | None = None) -> Iterator[Any]:
        """A Popen of `docker WORDS`, whose three pipes are there; ended with the block."""
        with subprocess.Popen(
            ["docker", *words],
            env=self.environment(**(env or {})),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    @contextmanager
    def py(self, **options: Any) -> Iterator[docker.DockerClient]:
        """docker-py's client."""
        client = docker.DockerClient(base_url=self.url, **options)
        try:
            yield client
        finally:
            client.close()


Scene = Callable[[Stage], object]


class Scenes:
    """The scenes of one file, in their order."""

    def __init__(self) -> None:
        self.together: list[Scene] = []
        self.alone: list[Scene] = []

    def scene(self, play: Scene) -> Scene:
        """One that may be played beside any other."""
        self.together.append(play)
        return play

    def scene_alone(self, play: Scene) -> Scene:
        """One that others would change, or that changes what others see."""
        self.alone.append(play)
        return play


def compared(said: Any, tag: str) -> Any:
    """What a scene returned, without what differs between two runs straight to the engine."""
    match said:
        case Result():
            return compared([said.code, said.out, said.err], tag)
        case str():
            return folded(VOLATILE.sub("ID", said.replace(tag, "WAY")))
        case bytes():
            return compared(said.decode(errors="surrogateescape"), tag)
        case dict():
            return {compared(key, tag): compared(each, tag) for key, each in said.items()}
        case list() | tuple():
            return [compared(each, tag) for each in said]
        case bool() | int() | None:
            return said
    raise TypeError(f"a scene returned {said!r}: nothing to compare")


def moment(time: str) -> datetime:
    """A time of the engine's; its nanoseconds are more than datetime takes."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", time))


def folded(text: str) -> str:
    """A long text by its ends and its hash: whoever sees a difference can read it."""
    if len(text) <= LONG:
        return text
    digest = hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
    return f"{text[: LONG // 4]}... {len(text)} characters, {digest} ...{text[-LONG // 4 :]}"
