"""The watcher, on an engine whose events the test gives."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import httpx
import pytest

from tests.unit.hooks.conftest import Adapter, FakeBackend
from waitforweave.attach.backend import AttachError, Container
from waitforweave.docker.create import LeftAlone
from waitforweave.docker.engine import Engine
from waitforweave.hooks import watcher as module
from waitforweave.hooks.attaching import Attacher
from waitforweave.hooks.book import Attached, Failed
from waitforweave.hooks.protocol import ClientRequest, HookError, ServerResponse
from waitforweave.hooks.start_hook import StartHook
from waitforweave.hooks.watcher import Watcher

ID = "c" * 64
PATIENCE_SECONDS = 10
LIST = "GET /containers/json?all=1"
# Long after any time at which the tests' clock could have asked.
LATER = 4_000_000_000_000_000_000


class Stage:
    """A watcher that runs; the test plays the engine."""

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self.connections: asyncio.Queue[str] = asyncio.Queue()
        self.lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.watcher: Watcher

    async def handle(self, request: httpx.Request) -> httpx.Response:
        if "/events" not in request.url.path:
            return self.adapter.engine.handle(request)
        self.connections.put_nowait(str(request.url))
        return httpx.Response(200, content=self.stream())

    async def stream(self) -> AsyncIterator[bytes]:
        while (line := await self.lines.get()) is not None:
            yield line

    def say(self, action: str, at: int = LATER, container: str = ID) -> None:
        self.event("container", action, at, {"ID": container})

    def event(self, kind: str, action: str, at: int, actor: dict[str, object]) -> None:
        value = {"Type": kind, "Action": action, "Actor": actor, "timeNano": at}
        self.lines.put_nowait(json.dumps(value).encode() + b"\n")

    def hang_up(self) -> None:
        self.lines.put_nowait(None)

    async def until(self, holds: Callable[[], object]) -> None:
        """The test's own patience; what it waits for is the loop's next steps."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():  # noqa: ASYNC110 - it awaits what the program does of itself
                await asyncio.sleep(0.001)

    @property
    def attached(self) -> list[Container]:
        return [container for container, _ in self.adapter.backend.attached]

    def state(self) -> object:
        record = self.watcher.attacher.book.get(ID)
        return None if record is None else record.state


@pytest.fixture
def play(adapter, container, monkeypatch) -> Callable[[Callable[[Stage], Awaitable[None]]], None]:
    """Runs a scene; the engine has no containers but those that the test puts there."""
    monkeypatch.setattr(module, "retry_delay", lambda failures: 0.01)
    adapter.engine.answers[LIST] = (200, [])

    def run(scene: Callable[[Stage], Awaitable[None]]) -> None:
        async def main() -> None:
            stage = Stage(adapter)
            transport = httpx.MockTransport(stage.handle)
            async with Engine("unix:///engine.sock", transport) as engine:
                stage.watcher = Watcher(Attacher(engine, adapter.backend))
                begin = asyncio.Event()
                begin.set()
                async with stage.watcher.watching(begin):
                    await stage.connections.get()
                    # It has looked at all that was there: what comes now, comes by events.
                    await stage.until(lambda: LIST in adapter.engine.calls)
                    await stage.until(lambda: not stage.watcher._others)
                    await scene(stage)

        asyncio.run(main())

    return run


def listed(*ids: str, state: str = "running") -> tuple[int, list[dict[str, str]]]:
    return 200, [{"Id": each, "State": state} for each in ids]


@pytest.mark.parametrize("action", ["start", "unpause"])
def test_what_starts_without_us_is_attached(play, container, action):
    container("WEAVE_CIDR=10.2.1.5/24")

    async def scene(stage):
        stage.say(action)
        await stage.until(lambda: isinstance(stage.state(), Attached))
        assert stage.attached == [Container(ID, os.getpid())]

    play(scene)


@pytest.mark.parametrize("state", ["running", "paused"])
def test_what_runs_at_the_start_is_attached(play, adapter, container, state):
    container("WEAVE_CIDR=")
    adapter.engine.answers[LIST] = listed(ID, state=state)

    async def scene(stage):
        await stage.until(lambda: stage.attached)

    play(scene)


def test_what_is_none_of_ours_is_asked_about_once(play, adapter, container):
    container()

    async def scene(stage):
        stage.say("start")
        await stage.until(lambda: stage.watcher.attacher.book.is_left_alone(ID))
        asked = len(adapter.engine.calls)
        container("WEAVE_CIDR=", name="b")
        stage.say("start", LATER + 1)
        stage.say("start", LATER + 2, "b" * 64)
        await stage.until(lambda: stage.attached)
        assert adapter.engine.calls[asked:] == [f"GET /containers/{'b' * 64}/json"]

    play(scene)


def test_what_is_none_of_ours_is_known_before_its_start(play, adapter, container):
    container(running=False)

    async def scene(stage):
        attacher = stage.watcher.attacher
        stage.say("create")
        await stage.until(lambda: attacher.book.is_left_alone(ID))
        asked = len(adapter.engine.calls)
        assert isinstance(await attacher.see_to(ID, "start"), LeftAlone)
        assert adapter.engine.calls[asked:] == []

    play(scene)


def test_what_is_ours_is_known_before_its_start_and_is_attached_when_it_comes(play, container):
    """Also past the proxy, without a label of ours; and not before the engine makes it."""
    container("WEAVE_CIDR=10.2.1.5/24", running=False)

    async def scene(stage):
        attacher = stage.watcher.attacher
        stage.say("create")
        await stage.until(lambda: attacher.book.promised(ID))
        assert (stage.attached, stage.watcher.ahead.expected) == ([], set())
        network = {"ID": "n1", "Attributes": {"container": ID}}
        stage.event("network", "connect", LATER + 1, network)
        await stage.until(lambda: stage.watcher.ahead.expected == {ID})
        container("WEAVE_CIDR=10.2.1.5/24")
        stage.say("start", LATER + 2)
        await stage.until(lambda: stage.attached)
        assert stage.watcher.ahead.expected == set()

    play(scene)


def test_one_that_does_not_start_after_all_is_expected_no_more(play, container):
    """The engine says no "die" then; or we did not hear what it said."""
    container("WEAVE_CIDR=10.2.1.5/24", running=False)

    async def scene(stage):
        ahead, network = stage.watcher.ahead, {"ID": "n1", "Attributes": {"container": ID}}
        stage.say("create")
        await stage.until(lambda: stage.watcher.attacher.book.promised(ID))
        stage.event("network", "connect", LATER + 1, network)
        await stage.until(lambda: ahead.expected)
        stage.event("network", "disconnect", LATER + 2, network)
        await stage.until(lambda: not ahead.expected)
        stage.event("network", "connect", LATER + 3, network)
        await stage.until(lambda: ahead.expected)
        stage.hang_up()
        await stage.until(lambda: not ahead.expected)

    play(scene)


def test_an_engine_that_cannot_answer_is_asked_again_at_the_start(play, adapter, container):
    container()
    inspect = f"GET /containers/{ID}/json"
    answer, adapter.engine.answers[inspect] = adapter.engine.answers[inspect], (500, {})

    async def scene(stage):
        stage.say("create")
        await stage.until(lambda: adapter.engine.calls[-1] == inspect)
        await stage.until(lambda: not stage.watcher._others)
        adapter.engine.answers[inspect] = answer
        stage.say("start", LATER + 1)
        await stage.until(lambda: stage.watcher.attacher.book.is_left_alone(ID))

    play(scene)


def test_a_failure_is_tried_again_until_it_succeeds(play, adapter, container):
    container("WEAVE_CIDR=")
    failures = iter([AttachError("no address"), ZeroDivisionError()])

    def attach(target, wanted):
        for failure in failures:
            raise failure
        return ("10.2.1.5/24",)

    adapter.backend.attach = attach

    async def scene(stage):
        stage.say("start")
        await stage.until(lambda: isinstance(stage.state(), Attached))
        assert stage.watcher.attacher.book.get(ID).retries == 2

    play(scene)


@pytest.mark.parametrize("action", ["die", "destroy", "remove"])
def test_it_is_not_tried_again_once_it_has_ended(play, adapter, container, action):
    container("WEAVE_CIDR=")
    adapter.backend.error = AttachError("no address")

    async def scene(stage):
        stage.say("start")
        await stage.until(lambda: isinstance(stage.state(), Failed))
        stage.say(action, LATER + 1)
        await stage.until(lambda: stage.state() is None and not stage.watcher._pursued)

    play(scene)


@pytest.mark.parametrize("destroyed", ["destroy", "remove"])
def test_its_end_keeps_the_addresses_and_its_destruction_gives_them_back(
    play, adapter, container, destroyed
):
    """In Docker's word, and in podman's."""
    container("WEAVE_CIDR=")
    adapter.backend.held[ID] = ("10.2.1.5/24",)
    adapter.engine.answers[LIST] = listed(ID, state="exited")

    async def scene(stage):
        stage.say("die")
        # What comes after it has been dealt with too: the end was nothing to give back for.
        stage.say("start", LATER + 1)
        await stage.until(lambda: stage.attached)
        assert adapter.backend.detached == []
        stage.say("die", LATER + 2)
        stage.say(destroyed, LATER + 3)
        await stage.until(lambda: adapter.backend.detached == [ID])

    play(scene)


def test_a_destroyed_container_that_has_nothing_of_ours_is_not_touched(play, adapter):
    adapter.backend.held["b" * 64] = ("10.2.1.5/24",)
    adapter.engine.answers[LIST] = listed("b" * 64, state="exited")

    async def scene(stage):
        stage.say("destroy", LATER)
        stage.say("destroy", LATER + 1, "b" * 64)
        await stage.until(lambda: adapter.backend.detached and not stage.watcher._others)
        assert adapter.backend.detached == ["b" * 64]

    play(scene)


def test_addresses_wait_for_an_attach_that_is_under_way(play, adapter, container):
    """--rm, and it ended within its attach: what that still makes goes too."""
    container("WEAVE_CIDR=")
    release, order = threading.Event(), []

    def attach(target, wanted):
        order.append("attach")
        assert release.wait(PATIENCE_SECONDS)
        adapter.backend.held[ID] = ("10.2.1.5/24",)
        return adapter.backend.held[ID]

    adapter.backend.attach = attach

    async def scene(stage):
        stage.say("start")
        await stage.until(lambda: order)
        stage.say("destroy", LATER + 1)
        await stage.until(lambda: stage.state() is None)
        assert adapter.backend.detached == []
        release.set()
        await stage.until(lambda: adapter.backend.detached == [ID])

    play(scene)


def test_an_attach_that_ends_while_the_backend_is_looked_at_is_not_overlooked(
    play, adapter, container
):
    container("WEAVE_CIDR=")
    adapter.engine.answers[LIST] = listed(ID, state="exited")
    begun, release = threading.Event(), threading.Event()

    def attach(target, wanted):
        begun.set()
        assert release.wait(PATIENCE_SECONDS)
        adapter.backend.held[ID] = ("10.2.1.5/24",)
        return adapter.backend.held[ID]

    adapter.backend.attach = attach

    async def scene(stage):
        thread_done, ended = stage.watcher.attacher.threads._done, threading.Event()
        list_ = adapter.backend.list

        def done(*words):
            thread_done(*words)
            ended.set()

        def looking():
            found = list_()
            release.set()
            assert ended.wait(PATIENCE_SECONDS)
            return found

        stage.watcher.attacher.threads._done = done
        stage.say("start")
        await stage.until(begun.is_set)
        adapter.backend.list = looking
        stage.say("destroy", LATER + 1)
        await stage.until(lambda: adapter.backend.detached == [ID])

    play(scene)


def test_addresses_that_could_not_be_given_back_are_given_back_later(play, adapter):
    adapter.backend.held[ID] = ("10.2.1.5/24",)
    failures = iter([AttachError("disk full"), AttachError("disk full")])
    detach = adapter.backend.detach

    def failing(container_id):
        for failure in failures:
            raise failure
        return detach(container_id)

    adapter.backend.detach = failing

    async def scene(stage):
        assert adapter.backend.detached == [ID]

    play(scene)


def unreadable_at_first(backend: FakeBackend, times: int = 2) -> list[AttachError]:
    """The backend's list fails so often; gives the failures that are still to come."""
    failures, list_ = [AttachError("disk full")] * times, backend.list

    def failing() -> dict[str, tuple[str, ...]]:
        if failures:
            raise failures.pop()
        return list_()

    backend.list = failing  # type: ignore[method-assign]
    return failures


def test_a_destroyed_container_whose_backend_could_not_say_is_given_back_later(play, adapter):
    adapter.backend.held[ID] = ("10.2.1.5/24",)
    adapter.engine.answers[LIST] = listed(ID, state="exited")

    async def scene(stage):
        unreadable_at_first(adapter.backend)
        stage.say("destroy")
        await stage.until(lambda: adapter.backend.detached == [ID])

    play(scene)


def test_leftovers_that_could_not_be_read_are_no_hindrance_and_are_collected_later(
    play, adapter, container
):
    container("WEAVE_CIDR=", name="b")
    adapter.backend.held = {ID: ("10.2.1.5/24",)}
    adapter.engine.answers[LIST] = listed("b" * 64)
    attached_with = []
    failures = unreadable_at_first(adapter.backend, times=1_000_000)
    attach = adapter.backend.attach

    def attaches(target, wanted):
        attached_with.append(len(failures))
        failures.clear()
        return attach(target, wanted)

    adapter.backend.attach = attaches

    async def scene(stage):
        await stage.until(lambda: adapter.backend.detached == [ID])
        assert attached_with
        assert attached_with[0] > 0

    play(scene)


def test_leftovers_of_what_the_engine_does_not_know_are_collected(play, adapter):
    adapter.backend.held = {ID: ("10.2.1.5/24",), "b" * 64: ()}
    adapter.engine.answers[LIST] = listed("b" * 64, state="exited")

    async def scene(stage):
        await stage.until(lambda: adapter.backend.detached)
        assert adapter.backend.detached == [ID]

    play(scene)


def test_an_engine_that_cannot_say_what_there_is_is_asked_until_it_can(play, adapter, container):
    """What runs is attached then, and what it does not know given back."""
    container("WEAVE_CIDR=")
    adapter.backend.held = {"d" * 64: ("10.2.1.5/24",)}
    answers, failures = adapter.engine.answers, [500] * 5
    handle = adapter.engine.handle

    def busy_at_first(request):
        if str(request.url).endswith(LIST.removeprefix("GET ")):
            answers[LIST] = (failures.pop(), {"message": "busy"}) if failures else listed(ID)
        return handle(request)

    adapter.engine.handle = busy_at_first

    async def scene(stage):
        assert adapter.backend.detached == ["d" * 64]
        await stage.until(lambda: stage.attached)

    play(scene)


def test_a_fault_of_our_own_does_not_end_the_collecting(play, adapter):
    adapter.backend.held = {ID: ("10.2.1.5/24",), "b" * 64: ("10.2.1.6/24",)}
    adapter.engine.answers[LIST] = listed(ID, "b" * 64, state="exited")
    faults, list_ = [RuntimeError("can't start new thread")], adapter.backend.list

    def faulty():
        if faults:
            raise faults.pop()
        return list_()

    async def scene(stage):
        adapter.backend.list = faulty
        stage.say("destroy")
        await stage.until(lambda: not faults and not stage.watcher._others)
        stage.say("destroy", LATER + 1, "b" * 64)
        await stage.until(lambda: sorted(adapter.backend.detached) == ["b" * 64, ID])

    play(scene)


def test_an_engine_that_comes_back_is_followed_again_from_before(play, adapter, container):
    container("WEAVE_CIDR=")

    async def scene(stage):
        stage.say("die", 1_700_000_020_000_000_005)
        stage.hang_up()
        again = await stage.connections.get()
        assert "since=1700000010.000000005" in again
        # What was started in between, past its memory, is found all the same.
        adapter.engine.answers[LIST] = listed(ID)
        stage.hang_up()
        await stage.connections.get()
        await stage.until(lambda: stage.attached)

    play(scene)


def test_a_late_end_of_the_run_before_is_none_of_this_ones(play, adapter, container):
    """docker restart, and its call came before the events: whoever made it hears of a failure."""
    value = container("WEAVE_CIDR=")
    value["State"]["StartedAt"] = "2026-01-01T00:00:20.5Z"
    adapter.backend.hold, adapter.backend.error = threading.Event(), AttachError("no address")

    async def scene(stage):
        hook = StartHook(stage.watcher.attacher)
        request = ClientRequest("POST", f"/containers/{ID}/restart")
        call = asyncio.create_task(hook(request, ServerResponse(Code=204)))
        await stage.until(stage.state)
        stage.say("die", 1_767_225_620_000_000_000)
        stage.say("die", LATER, "b" * 64)
        await stage.until(lambda: stage.watcher.feed.last == LATER)
        adapter.backend.hold.set()
        with pytest.raises(HookError, match="was killed: no address"):
            await call

    play(scene)


def test_an_attached_run_is_not_attached_again_by_its_own_event(play, adapter, container):
    """The client's call came first."""
    container("WEAVE_CIDR=")
    container("WEAVE_CIDR=", name="b")

    async def scene(stage):
        await stage.watcher.attacher.see_to("a", "start")
        stage.say("start", 1_000_000_000)
        stage.say("start", LATER, "b" * 64)
        await stage.until(lambda: len(stage.attached) == 2)
        assert [each.id for each in stage.attached] == [ID, "b" * 64]

    play(scene)


@pytest.mark.parametrize("lost", ["the end is told", "the end is not told"])
def test_a_clock_that_is_set_back_hides_no_next_run(play, adapter, container, lost):
    """All events seem to be older than the run that we know."""
    value = container("WEAVE_CIDR=")
    first = subprocess.Popen(["sleep", "60"])
    value["State"].update(Pid=first.pid, StartedAt=datetime.now(UTC).isoformat())
    at = int((time.time() - 3600) * 1e9)

    async def scene(stage):
        stage.say("start", LATER)
        await stage.until(lambda: isinstance(stage.state(), Attached))
        first.kill()
        first.wait()
        if lost == "the end is told":
            stage.say("die", at)
            await stage.until(lambda: stage.state() is None)
        value["State"].update(Pid=os.getpid(), StartedAt="2026-01-01T00:00:20.5Z")
        stage.say("start", at + 1)
        await stage.until(lambda: len(stage.attached) == 2)
        assert stage.attached[1] == Container(ID, os.getpid())

    play(scene)
