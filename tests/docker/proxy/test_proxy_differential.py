"""The same scenes straight to the engine, through the proxy, and through the proxy with adapters:
what a user sees and the exit codes are alike. Scenes stand in scenes_*.py, by what they are about.

Ways are played side by side, and scenes too, where they do not disturb each other.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest

from tests.docker.proxy import (
    scenes_cli_engine,
    scenes_cli_errors,
    scenes_cli_exec,
    scenes_cli_files,
    scenes_cli_gated,
    scenes_cli_life,
    scenes_cli_observe,
    scenes_cli_run,
    scenes_cli_terminal,
    scenes_py_containers,
    scenes_py_engine,
    scenes_py_low_level,
)
from tests.docker.proxy.scenes import IMAGE, RUN, NotHereError, Scene, Stage, compared
from tests.support import proxied
from tests.support.docker_cli import DockerCli

FILES = (
    scenes_cli_engine,
    scenes_cli_errors,
    scenes_cli_exec,
    scenes_cli_files,
    scenes_cli_gated,
    scenes_cli_life,
    scenes_cli_observe,
    scenes_cli_run,
    scenes_cli_terminal,
    scenes_py_containers,
    scenes_py_engine,
    scenes_py_low_level,
)
TOGETHER = [play for file in FILES for play in file.SCENES.together]
ALONE = [play for file in FILES for play in file.SCENES.alone]
# docker, runc and the engine's disk are waited for most of the time.
AT_ONCE = 8
# All of them; what has not ended then has failed.
SECONDS = 900

# Scenes are played before the first test, whose own time this is not.
pytestmark = pytest.mark.timeout(func_only=True)


def title(play: Scene) -> str:
    return f"{play.__module__.rpartition('scenes_')[2]}-{play.__name__}"


def stages(play: Scene, ways: list[str]) -> list[Stage]:
    """Names on a stage are the scene's and the way's own."""
    number = [*TOGETHER, *ALONE].index(play)
    return [Stage(url, f"way{way}x{number:03}") for way, url in enumerate(ways)]


def played(play: Scene, stage: Stage) -> Any:
    try:
        said = compared(play(stage), stage.tag)
    except AssertionError as error:
        error.add_note(f"at {stage.url}, as {stage.tag}")
        raise
    assert said not in (None, "", [], {}), "a scene that shows nothing compares nothing"
    return said


@pytest.fixture(scope="module")
def ways(engine: DockerCli, plain: DockerCli, adapted: DockerCli) -> list[str]:
    """The engine's own socket, a proxy without any rule, and one with adapters and our hooks."""
    return [engine.url, plain.url, adapted.url]


def containers(engine: DockerCli) -> set[str]:
    shown = engine.docker("ps", "-a", "--no-trunc", "--format", "{{.Names}}: {{.Command}}")
    return set(shown.out.splitlines())


@pytest.fixture(scope="module")
def before(engine: DockerCli, ways: list[str]) -> set[str]:
    """The containers that were there before any scene."""
    return containers(engine)


@pytest.fixture(scope="module")
def together(
    request: pytest.FixtureRequest, ways: list[str], before: set[str]
) -> dict[Scene, list[Future[Any]]]:
    """All scenes that were chosen and may be played at once, each on all ways: what they say.

    They have ended before the first test goes on: between tests pytest changes the environment,
    and whoever reads all of it at that moment, as a scene's thread does, meets a KeyError.
    """
    chosen: list[Scene] = [
        item.callspec.params["play"]  # type: ignore[misc]
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.function is test_alike
        and not item.get_closest_marker("skip")
    ]
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        said = {
            play: [pool.submit(played, play, stage) for stage in stages(play, ways)]
            for play in chosen
        }
        wait([future for futures in said.values() for future in futures], SECONDS)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return said


def require_alike(say: Callable[[], list[Any]]) -> None:
    """What a scene says on each way; skipped where it cannot be played straight."""
    try:
        straight, *others = say()
    except NotHereError as reason:
        pytest.skip(str(reason))
    for said in others:
        assert said == straight


@pytest.mark.parametrize("play", TOGETHER, ids=title)
def test_alike(together, play):
    require_alike(lambda: [future.result(timeout=0) for future in together[play]])


@pytest.mark.parametrize("play", ALONE, ids=title)
def test_alike_when_alone(together, ways, play):
    require_alike(lambda: [played(play, stage) for stage in stages(play, ways)])


def test_scenes_leave_no_container(together, before, engine):
    assert containers(engine) - before == set()


def test_what_is_changed_on_the_way_is_seen(engine, tmp_path):
    """Else all of the above could not fail."""

    def play(stage: Stage):
        return stage.run(*RUN, IMAGE, "echo", "said")

    def alter(message: proxied.Message) -> tuple[int, proxied.Message]:
        body = message["ClientRequest"]["Body"].replace('"said"', '"said otherwise"')
        return proxied.changed(message, Body=body)

    with proxied.adapter(alter) as adapter:
        rules = '{"POST /*/containers/create": {pre: [a]}}'
        config = f'endpoints: {rules}\nadapters: {{a: "{adapter.url}"}}\n'
        with proxied.proxy(tmp_path / "p", engine.url, config) as proxy:
            said = [played(play, Stage(each.url, "way")) for each in (engine, proxy)]
    assert said == [[0, "said\n", ""], [0, "said otherwise\n", ""]]
