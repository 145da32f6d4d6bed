"""Each command ends as it does on the engine without us: what runs prints the same, what cannot
run has the exit code of `docker run`, and one clear line."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.docker.gate import boxes, commands
from tests.support import images
from tests.support.engine import PrivateEngine
from tests.support.engine_api import Ended, EngineApi

AT_ONCE = 4
# Where we do not end as the engine does: its code, ours. runc answers 1 for whatever execve(2)
# refuses (255 in later versions), and 1 is our time-out; `docker run` answers 125 where neither
# "no such file" nor "permission denied" is in the engine's message, and 125 is our own failure.
REFUSED_BY_EXEC = {
    "no interpreter line": (1, 126),
    "0 bytes": (1, 126),
    "broken ELF": (1, 126),
    "interpreter missing": (1, 127),
    "interpreter not executable": (1, 126),
    "interpreter a folder": (1, 126),
    "interpreter itself": (1, 126),
    "lines end as on Windows": (1, 127),
}
REFUSED_BEFORE = {
    "link in a loop": (125, 126),
    "name too long": (125, 126),
    "PATH relative": (125, 126),
    "PATH relative, then absolute": (125, 126),
    "PATH with an empty entry, here": (125, 126),
    "PATH with an empty entry at its end": (125, 126),
}
# Without PATH we look where Docker's own would have us look: on a host env -i is nothing odd. A
# file that only others may run is not the one, as for runc since Go 1.20.
WE_RUN = {"PATH unset": (127, 0), "first for root": (126, 0)}
OTHERWISE = {**REFUSED_BY_EXEC, **REFUSED_BEFORE, **WE_RUN}
# Too long for the kernel already when it starts us.
NOT_OURS = {"an argument of 128 KiB and one", "3 MB of arguments"}


def docker_run_code(end: Ended) -> int:
    """docker/cli, cli/command/container/run.go, runStartContainerErr."""
    if not end.refused:
        return end.code
    if "executable file not found" in end.refused or says(end, errno.ENOENT):
        return 127
    # The daemon takes ENOTDIR for a bad mount, and has 127 for it: so has the container's state.
    if says(end, errno.ENOTDIR):
        return end.code
    return 126 if says(end, errno.EACCES) or says(end, errno.EISDIR) else 125


def says(end: Ended, number: int) -> bool:
    return os.strerror(number).lower() in end.refused


@pytest.fixture(scope="module")
def outcomes(engine: PrivateEngine, api: EngineApi, volume: None) -> dict[str, tuple[Ended, Ended]]:
    """How each ends, plainly and behind the gate; several at once."""
    image = images.import_image(engine, "wfw-commands", root=commands.root())

    def outcome(case: commands.Case) -> tuple[Ended, Ended]:
        command, options = case
        env = ["PATH=/bin", *options.get("env", []), "WAIT_FOR_WEAVE_SKIP=yes"]
        return boxes.both(api, boxes.body(image, *command, **{**options, "env": env}))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        ended = pool.map(outcome, commands.CASES.values())
        return dict(zip(commands.CASES, ended, strict=True))


@pytest.mark.parametrize("case", commands.CASES)
def test_it_ends_as_without_us(outcomes: dict[str, tuple[Ended, Ended]], case: str) -> None:
    plain, behind = outcomes[case]
    engines, ours = docker_run_code(plain), behind.code
    assert not behind.refused
    if case in OTHERWISE:
        assert (engines, ours) == OTHERWISE[case]
    else:
        assert (engines, plain.out) == (ours, behind.out)


@pytest.mark.parametrize("case", commands.CASES)
def test_what_cannot_run_is_said_in_one_line(
    outcomes: dict[str, tuple[Ended, Ended]], case: str
) -> None:
    plain, behind = outcomes[case]
    if behind.code in (126, 127):
        (line,) = behind.err.splitlines()
        assert line.startswith("wait-for-weave: ")
        assert case not in NOT_OURS
    elif case not in NOT_OURS:
        assert behind.err == plain.err or case in WE_RUN


def test_some_run_and_some_do_not(outcomes: dict[str, tuple[Ended, Ended]]) -> None:
    codes = [behind.code for _, behind in outcomes.values()]
    assert all(codes.count(code) >= 8 for code in (0, 126, 127))
