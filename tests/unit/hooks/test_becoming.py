"""A gate's exec and end are seen when they happen; nothing else wakes anybody."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from waitforweave.hooks import becoming as module
from waitforweave.hooks import process
from waitforweave.hooks.becoming import Becoming, Closed
from waitforweave.hooks.process import Process

PATIENCE_SECONDS = 20
SCRIPT = "read line; $line"


class Scene:
    """Gates that wait for a line, and what was seen of them."""

    def __init__(self, gate: Path) -> None:
        self.gate = gate
        self.seen: list[tuple[str, Process]] = []
        self.becoming = Becoming(lambda name, found: self.seen.append((name, found)))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        words = [str(self.gate), "-c", SCRIPT]
        child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.processes[name] = child
        self.becoming.follow(name, child.pid)

    def tell(self, name: str, line: str) -> None:
        child = self.processes[name]
        assert child.stdin is not None
        child.stdin.write(line.encode() + b"\n")
        child.stdin.flush()

    async def until(self, *expected: tuple[str, Process]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not set(expected) <= set(self.seen):  # noqa: ASYNC110 - the loop's own doing
                await asyncio.sleep(0.001)


@pytest.fixture
def play(tmp_path, monkeypatch) -> Iterator[Callable[[Callable[[Scene], Awaitable[None]]], Scene]]:
    """Runs a scene; a shell in the gate's folder is the gate."""
    gate = tmp_path / "sh"
    shutil.copy(Path("/bin/sh").resolve(), gate)
    monkeypatch.setattr(process, "GATE_FOLDER", f"{tmp_path}/")
    scene = Scene(gate)

    async def main(acts: Callable[[Scene], Awaitable[None]]) -> None:
        try:
            await acts(scene)
        finally:
            scene.becoming.close()

    def run(acts: Callable[[Scene], Awaitable[None]]) -> Scene:
        asyncio.run(main(acts))
        return scene

    yield run
    for child in scene.processes.values():
        child.kill()
        child.communicate()


def test_an_exec_is_seen(play):
    async def acts(scene: Scene) -> None:
        scene.start("a")
        assert scene.seen == [("a", Process.GATE)]
        scene.tell("a", "exec sleep 99")
        await scene.until(("a", Process.COMMAND))

    scene = play(acts)
    assert scene.seen[-1] == ("a", Process.COMMAND)


def test_an_end_is_seen(play):
    async def acts(scene: Scene) -> None:
        scene.start("a")
        scene.tell("a", "exit 1")
        await scene.until(("a", Process.UNSEEN))

    play(acts)


def test_who_is_the_gate_still_after_an_exec_goes_on_being_followed(play):
    async def acts(scene: Scene) -> None:
        scene.start("a")
        # As the launcher becomes the loader.
        scene.tell("a", f"exec {scene.gate}")
        scene.tell("a", "exec sleep 99")
        await scene.until(("a", Process.COMMAND))

    play(acts)


def test_one_that_is_through_is_looked_at_no_more_and_the_other_still_is(play):
    async def acts(scene: Scene) -> None:
        scene.start("a")
        scene.start("b")
        scene.tell("a", "exec sleep 99")
        await scene.until(("a", Process.COMMAND))
        scene.tell("b", "exec sleep 99")
        await scene.until(("b", Process.COMMAND))

    scene = play(acts)
    assert scene.seen.count(("a", Process.COMMAND)) == 1


def test_many_that_end_at_once_are_few_looks(play, monkeypatch):
    monkeypatch.setattr(module, "LOOK_SECONDS", 3600)

    async def acts(scene: Scene) -> None:
        scene.start("a")
        scene.becoming.look()
        before = len(scene.seen)
        for _ in range(100):
            scene.becoming.look()
        assert len(scene.seen) == before

    play(acts)


def test_what_came_within_the_pause_is_looked_at_after_it(play):
    async def acts(scene: Scene) -> None:
        scene.start("a")
        scene.becoming.look()
        scene.tell("a", "exec sleep 99")
        await scene.until(("a", Process.COMMAND))

    play(acts)


def test_who_has_left_is_not_looked_at(play):
    async def acts(scene: Scene) -> None:
        scene.start("a")
        scene.becoming.leave("a")
        scene.becoming.look()
        assert scene.seen == [("a", Process.GATE)]

    play(acts)


def test_a_process_that_is_not_there_is_unseen_and_no_error(play, caplog):
    async def acts(scene: Scene) -> None:
        scene.becoming.follow("a", 1 << 30)

    assert play(acts).seen == [("a", Process.UNSEEN)]
    assert caplog.records == []


def test_without_inotify_it_is_seen_at_the_next_look_and_the_log_says_so(play, monkeypatch, caplog):
    def refused(self: Closed) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(Closed, "__init__", refused)

    async def acts(scene: Scene) -> None:
        scene.start("a")
        scene.tell("a", "exec sleep 99")
        child = scene.processes["a"]
        async with asyncio.timeout(PATIENCE_SECONDS):
            while process.process_of(child.pid) is Process.GATE:  # noqa: ASYNC110 - no event is told
                await asyncio.sleep(0.001)
        scene.becoming.look()

    assert play(acts).seen[-1] == ("a", Process.COMMAND)
    assert "seen late: [Errno 24] Too many open files" in caplog.text


def test_a_file_is_watched_for_one_close(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    inotify = Closed()
    try:
        assert not inotify.closed_any()
        inotify.watch_once(str(file))
        file.read_text()
        file.read_text()
        assert inotify.closed_any()
        assert not inotify.closed_any()
    finally:
        inotify.close()
