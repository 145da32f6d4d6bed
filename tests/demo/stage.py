"""How the demo speaks, runs a step, and notices a difference from what is expected."""

from __future__ import annotations

import re
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.docker_cli import DockerCli


class DifferenceError(Exception):
    """A step came out otherwise than expected."""


def say(text: str = "") -> None:
    print(text, flush=True)


@dataclass
class Stage:
    """Where the steps play: the client at our proxy, and names that cannot be anybody else's."""

    client: DockerCli
    prefix: str
    containers: list[str] = field(default_factory=list)

    def name(self, short: str) -> str:
        """A container name, remembered so that it can be removed."""
        name = f"{self.prefix}-{short}"
        self.containers.append(name)
        return name

    def image(self, short: str) -> str:
        return f"{self.prefix}-{short}"

    def docker(self, *words: str) -> str:
        """Run `docker WORDS` as anybody would, show it, and give what it printed."""
        say(f"    $ docker {shlex.join(words)}")
        result = self.client.docker(*words, check=False)
        for line in (result.out + result.err).splitlines():
            say(f"      {line}")
        if result.code != 0:
            raise DifferenceError(f"exit code {result.code}, expected 0")
        return result.out

    def expect(self, text: str, *patterns: str) -> None:
        """Each pattern (a regular expression) must match a whole line of the text, in order."""
        lines = text.splitlines()
        wrong = len(lines) != len(patterns) or not all(
            re.fullmatch(pattern, line) for pattern, line in zip(patterns, lines, strict=True)
        )
        if wrong:
            raise DifferenceError("expected:\n" + "\n".join(f"      {p}" for p in patterns))


Step = Callable[[Stage], None]


def play(number: int, step: Step, stage: Stage) -> None:
    """One step: its title is its docstring's first line."""
    title = (step.__doc__ or step.__name__).splitlines()[0]
    say(f"\n{number}. {title}")
    begun = time.monotonic()
    try:
        step(stage)
    except DifferenceError as difference:
        say(f"    DIFFERENT: {difference}")
        sys.exit(1)
    say(f"    as expected, {1000 * (time.monotonic() - begun):.0f} ms")
