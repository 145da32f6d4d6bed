"""BuildKit: `docker build` and `docker buildx build` talk h2c over /session and /grpc."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support import images
from tests.support.docker_cli import DockerCli, Result

DOCKERFILE = f"""\
FROM {images.BUSYBOX} AS made
COPY big /big
RUN --mount=type=secret,id=word sh -c 'wc -c </run/secrets/word >/length'
ARG TIMES
RUN --mount=type=cache,id=ID,target=/kept \
    sh -c 'echo "$TIMES" >>/kept/lines; wc -l </kept/lines >/times'
FROM scratch
COPY --from=made /length /times /big /
"""
SECRET_BYTES = 4321
CONTEXT_BYTES = 3_000_000


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A folder to build from; its cache has a name that no other build has."""
    folder = tmp_path / "context"
    folder.mkdir()
    name = os.urandom(8).hex()
    (folder / "Dockerfile").write_text(DOCKERFILE.replace("id=ID", f"id={name}"))
    (folder / "big").write_bytes(os.urandom(CONTEXT_BYTES))
    (tmp_path / "word").write_bytes(os.urandom(SECRET_BYTES))
    return folder


COMMANDS = {"docker build": ["build"], "docker buildx build": ["buildx", "build"]}


@pytest.fixture(params=COMMANDS)
def build(request, engine: DockerCli) -> Sequence[str]:
    """The words of the command; skipped where this client has no such plugin."""
    words = COMMANDS[request.param]
    if words[0] == "buildx" and engine.docker("buildx", "version", check=False).code != 0:
        pytest.skip("the client has no buildx")
    return words


def built(client: DockerCli, build: Sequence[str], folder: Path, *words: str) -> Result:
    secret = f"--secret=id=word,src={folder.parent}/word"
    options = ("--network=none", "--progress=plain", secret, *words)
    return client.docker(*build, *options, str(folder), env={"DOCKER_BUILDKIT": "1"})


def test_a_secret_a_cache_and_what_was_built_comes_back(way, build, context, tmp_path):
    """The files go up, and the result comes down, both over the session."""
    for times in ("1", "2"):
        result = tmp_path / f"result-{times}"
        again = ("--build-arg", f"TIMES={times}")
        built(way, build, context, *again, f"--output=type=local,dest={result}")
        assert (result / "length").read_text().strip() == str(SECRET_BYTES)
        assert (result / "times").read_text().strip() == times
        assert (result / "big").read_bytes() == (context / "big").read_bytes()


def test_an_image_on_the_engine(way, build, context):
    built(way, build, context, "--tag=wfw-built")
    try:
        assert way.docker("image", "inspect", "-f", "{{.Size}}", "wfw-built").out > "3000000"
    finally:
        way.docker("image", "rm", "wfw-built")


def test_a_step_that_fails(way, engine, build, context):
    (context / "Dockerfile").write_text(f"FROM {images.BUSYBOX}\nRUN exit 7\n")
    env = {"DOCKER_BUILDKIT": "1"}
    words = (*build, "--no-cache", "--network=none", "--progress=plain", str(context))
    said = way.docker(*words, check=False, env=env)
    assert said.code == engine.docker(*words, check=False, env=env).code != 0
    assert "exit code: 7" in said.err
