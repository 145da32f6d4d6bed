"""adapters.yml read again: however it comes anew, on SIGHUP, and not when it is wrong."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.unit.proxy.conftest import DONE, START, unchanged
from waitforweave.proxy import reload
from waitforweave.proxy.adapters import ConfigError
from waitforweave.proxy.inotify import Watch, names_to
from waitforweave.proxy.reload import RulesFile

SECONDS = 10.0


def text(name: str) -> str:
    return f'endpoints: {{"POST /{name}": {{pre: [x]}}}}\nadapters: {{x: "http://h/"}}\n'


class Lines(logging.Handler):
    """What is logged, to be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: asyncio.Queue[str] = asyncio.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self.queue.put_nowait(record.getMessage())

    async def next(self) -> str:
        async with asyncio.timeout(SECONDS):
            return await self.queue.get()


class Following:
    """A file that is followed: its lines in the log, and the rules that are used."""

    def __init__(self, file: Path, lines: Lines) -> None:
        self.file, self.lines, self.used = file, lines, ""

    def use(self, rules: reload.Rules) -> None:
        (rule,) = rules
        self.used = rule.pattern.removeprefix("POST /")

    async def turns_to(self, name: str) -> None:
        assert await self.lines.next() == (
            f"{self.file}, read again: 1 endpoint; adapters: x (http://h/)"
        )
        assert self.used == name
        assert self.lines.queue.empty()


@asynccontextmanager
async def followed(file: Path) -> AsyncIterator[Following]:
    lines = Lines()
    reload.log.addHandler(lines)
    reload.log.setLevel(logging.INFO)
    try:
        following = Following(file, lines)
        rules = RulesFile(file)
        with rules.following(following.use):
            following.use(rules.rules)
            yield following
    finally:
        reload.log.removeHandler(lines)


def written(file: Path) -> None:
    """In its place, as `cat >` and some editors do."""
    file.write_text(text("new"))


def renamed(file: Path) -> None:
    """Another file moved over it, as `sed -i`, vim and `mv` do."""
    (file.parent / "other").write_text(text("new"))
    (file.parent / "other").rename(file)


def moved_away_first(file: Path) -> None:
    """As editors that keep the old one do."""
    file.rename(file.parent / "adapters.yml~")
    file.write_text(text("new"))


def linked(file: Path) -> None:
    """A symbolic link in its place, to a file that was there before."""
    target = file.parent / "below" / "other"
    target.parent.mkdir()
    target.write_text(text("new"))
    file.unlink()
    file.symlink_to("below/other")


@pytest.mark.parametrize("change", [written, renamed, moved_away_first, linked])
def test_each_way_of_changing_a_file_is_seen_once(tmp_path, change: Callable[[Path], None]):
    file = tmp_path / "adapters.yml"
    file.write_text(text("old"))

    async def run() -> None:
        async with followed(file) as following:
            change(file)
            await following.turns_to("new")
            # And again, where the file is now.
            file.write_text(text("newest"))
            await following.turns_to("newest")

    asyncio.run(run())


def test_a_configmaps_folder_is_exchanged_below_a_link(tmp_path):
    """kubelet: adapters.yml -> ..data/adapters.yml, ..data -> a folder with a date; then the link
    ..data is renamed over (kubernetes: pkg/volume/util/atomic_writer.go)."""
    for name in ("first", "second", "third"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "adapters.yml").write_text(text(name))
    (tmp_path / "..data").symlink_to("first")
    file = tmp_path / "adapters.yml"
    file.symlink_to("..data/adapters.yml")

    async def run() -> None:
        async with followed(file) as following:
            assert following.used == "first"
            for name in ("second", "third"):
                (tmp_path / "..data_tmp").symlink_to(name)
                (tmp_path / "..data_tmp").rename(tmp_path / "..data")
                await following.turns_to(name)

    asyncio.run(run())


def moved_over(folder: Path) -> None:
    """As a deployment does that makes the whole folder anew."""
    other = folder.parent / "other"
    other.mkdir()
    (other / "adapters.yml").write_text(text("new"))
    folder.rename(folder.parent / "old")
    other.rename(folder)


def made_again(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "adapters.yml").write_text(text("new"))


def led_elsewhere(folder: Path) -> None:
    """By a symbolic link, where a folder was."""
    folder.rename(folder.parent / "old")
    (folder.parent / "other").mkdir()
    (folder.parent / "other" / "adapters.yml").write_text(text("new"))
    folder.symlink_to("other")


@pytest.mark.parametrize("change", [moved_over, made_again, led_elsewhere])
def test_another_folder_in_the_place_of_its_own(tmp_path, change: Callable[[Path], None]):
    file = tmp_path / "etc" / "adapters.yml"
    file.parent.mkdir()
    file.write_text(text("old"))

    async def run() -> None:
        async with followed(file) as following:
            change(file.parent)
            await following.turns_to("new")
            # And again, where the file is now.
            file.write_text(text("newest"))
            await following.turns_to("newest")
            # The old one is none of ours.
            if (tmp_path / "old").exists():
                (tmp_path / "old" / "adapters.yml").write_text(text("older"))
            file.write_text(text("last"))
            await following.turns_to("last")

    asyncio.run(run())


def test_a_folder_that_we_may_only_pass_through_is_nothing_to_tell_of(tmp_path, monkeypatch):
    file = tmp_path / "adapters.yml"
    file.write_text(text("old"))
    follow = Watch.follow

    def refused(watch: Watch, path: Path) -> None:
        if path == tmp_path.parent:
            raise PermissionError(13, "Permission denied")
        follow(watch, path)

    monkeypatch.setattr(Watch, "follow", refused)

    async def run() -> None:
        async with followed(file) as following:
            written(file)
            await following.turns_to("new")

    asyncio.run(run())


def test_a_file_that_is_seen_under_another_name_only(tmp_path):
    """Bound into a container, its folder there hears nothing of what is written to it outside."""
    (tmp_path / "container").mkdir()
    (tmp_path / "host").mkdir()
    outside, file = tmp_path / "host" / "a", tmp_path / "container" / "adapters.yml"
    outside.write_text(text("old"))
    os.link(outside, file)

    async def run() -> None:
        async with followed(file) as following:
            outside.write_text(text("new"))
            await following.turns_to("new")

    asyncio.run(run())


def test_what_else_happens_in_the_folder_is_none_of_ours(tmp_path):
    file = tmp_path / "adapters.yml"
    file.write_text(text("old"))

    async def run() -> None:
        async with followed(file) as following:
            (tmp_path / "other.yml").write_text("nonsense")
            (tmp_path / "other.yml").rename(tmp_path / "adapters.yaml")
            (tmp_path / "adapters.yml.swp").touch()
            file.write_text(text("new"))
            await following.turns_to("new")

    asyncio.run(run())


def test_a_change_that_the_kernel_had_no_room_to_tell_of_is_not_missed(tmp_path):
    room = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    file, other = tmp_path / "adapters.yml", tmp_path / "other"
    file.write_text(text("old"))
    other.touch()

    async def run() -> None:
        async with followed(file) as following:
            for _ in range(room // 2 + 1):
                other.rename(tmp_path / "another")
                (tmp_path / "another").rename(other)
            written(file)
            await following.turns_to("new")

    asyncio.run(run())


def test_a_wrong_file_changes_nothing_and_is_told_in_one_line(tmp_path):
    file = tmp_path / "adapters.yml"
    file.write_text(text("old"))

    async def run() -> None:
        async with followed(file) as following:
            file.write_text('endpoints: {"a": {}, "POST /b": {}}\nadapters: {}\n')
            line = await following.lines.next()
            assert line.startswith(f'the rules stay as they are: {file}: line 1: endpoint "a": ')
            assert f'; {file}: line 1: endpoint "POST /b": names no adapter' in line
            assert following.used == "old"
            file.write_text(text("new"))
            await following.turns_to("new")

    asyncio.run(run())


def test_sighup_reads_it_again_changed_or_not_and_tells_of_one_that_is_gone(tmp_path):
    file = tmp_path / "adapters.yml"
    file.write_text(text("old"))

    async def run() -> None:
        async with followed(file) as following:
            following.used = ""
            os.kill(os.getpid(), signal.SIGHUP)
            await following.turns_to("old")
            file.unlink()
            os.kill(os.getpid(), signal.SIGHUP)
            told = f"the rules stay as they are: {file}: No such file or directory"
            assert await following.lines.next() == told

    asyncio.run(run())


def test_a_change_before_it_is_followed_is_not_missed(tmp_path):
    file = tmp_path / "adapters.yml"
    file.write_text(text("old"))

    async def run() -> None:
        rules = RulesFile(file)
        file.write_text(text("new"))
        changed = asyncio.get_running_loop().create_future()
        with rules.following(changed.set_result):
            (rule,) = await asyncio.wait_for(changed, SECONDS)
        assert rule.pattern == "POST /new"

    asyncio.run(run())


def test_without_inotify_it_is_told_and_sighup_does(tmp_path, monkeypatch, caplog):
    def none() -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(reload, "Watch", none)
    file = tmp_path / "adapters.yml"
    file.write_text(text("old"))

    async def run() -> None:
        async with followed(file) as following:
            file.write_text(text("new"))
            os.kill(os.getpid(), signal.SIGHUP)
            assert "read again on SIGHUP only: Too many" in await following.lines.next()
            await following.turns_to("new")

    asyncio.run(run())


def test_a_call_under_way_keeps_the_chain_that_it_began_with(sides):
    asked, may_go_on = threading.Event(), threading.Event()

    def hold(call):
        asked.set()
        assert may_go_on.wait(SECONDS)
        return unchanged(call)

    sides.start({"POST /*": {"pre": ["a"], "post": ["b"]}}, a=hold, b=unchanged, c=unchanged)
    # A hook answers in the proxy's own thread, so nothing else happens while it is held.
    client = sides.client(START)
    assert asked.wait(SECONDS)
    sides.proxy.use(sides.rules({"POST /*": {"post": ["c"]}}, "c"))
    may_go_on.set()
    engine = sides.engine()
    engine.head()
    engine.send(DONE)
    assert client.head() == DONE
    assert sides.kinds() == [("a", "pre-hook"), ("b", "post-hook")]
    client.send(START)
    engine.head()
    engine.send(DONE)
    assert client.head() == DONE
    assert sides.kinds()[2:] == [("c", "post-hook")]


def test_a_file_that_is_wrong_to_begin_with(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        RulesFile(tmp_path / "adapters.yml")


def test_a_name_that_the_kernel_does_not_take_is_told_of(tmp_path):
    with pytest.raises(ConfigError, match="File name too long"):
        RulesFile(tmp_path / ("a" * 300))


def test_the_names_to_a_file(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "f").touch()
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "up").symlink_to("real/../real/f")
    (tmp_path / "absolute").symlink_to(tmp_path / "folder" / "f")
    (tmp_path / "loop").symlink_to("loop")

    def names(name: str) -> set[str]:
        found = names_to(tmp_path / name)
        above = {tmp_path, *tmp_path.parents} - {Path("/")}
        assert above < found
        return {str(each.relative_to(tmp_path)) for each in found - above}

    assert names("real/f") == {"real", "real/f"}
    assert names("folder/f") == {"folder", "real", "real/f"}
    assert names("up") == {"up", "real", "real/f"}
    assert names("absolute") == {"absolute", "folder", "real", "real/f"}
    assert names("none/f") == {"none", "none/f"}
    assert names("loop") == {"loop"}
