"""The docker client against one engine, as tests, bench and demo call it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """What a finished command said: its exit code and both of its streams, as text."""

    code: int
    out: str
    err: str


class DockerCli:
    """The `docker` command with DOCKER_HOST naming `url`: an engine, or a proxy before it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def environment(self, **more: str) -> dict[str, str]:
        """This process' environment with DOCKER_HOST naming this engine."""
        return {**os.environ, "DOCKER_HOST": self.url, "DOCKER_BUILDKIT": "0", **more}

    def docker(
        self,
        *words: str,
        stdin: bytes | None = None,
        check: bool = True,
        env: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> Result:
        """Run `docker WORDS`; any exit code but 0 is an AssertionError unless `check` is off."""
        done = subprocess.run(
            ["docker", *words],
            input=stdin,
            capture_output=True,
            env=self.environment(**(env or {})),
            timeout=timeout,
            check=False,
        )
        # Bytes that are no text come back by .encode(errors="surrogateescape").
        out, err = (each.decode(errors="surrogateescape") for each in (done.stdout, done.stderr))
        result = Result(done.returncode, out, err)
        if check and result.code != 0:
            raise AssertionError(f"docker {' '.join(words)}: exit {result.code}: {result.err}")
        return result
