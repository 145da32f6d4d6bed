"""What is asked of the engine when an event and a client's call come for the same start."""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.unit.hooks.conftest import Adapter, as_backend
from waitforweave.attach.backend import AttachError
from waitforweave.docker.engine import Engine, EngineError
from waitforweave.hooks import attaching
from waitforweave.hooks.attaching import Attacher
from waitforweave.hooks.book import Attached, Ended, Failed
from waitforweave.hooks.process import Process, is_running

ID = "c" * 64
INSPECT = f"GET /containers/{ID}/json"


def stamp(**ago: float) -> str:
    """A moment of the past as the engine writes it."""
    moment = datetime.now(UTC) - timedelta(**ago)
    return moment.replace(tzinfo=None).isoformat() + "Z"


@pytest.fixture
def running(container) -> dict[str, Any]:
    """A gated container whose first process is there: our own."""
    value: dict[str, Any] = container("WEAVE_CIDR=10.2.1.5/24")
    value["State"] = {"Pid": os.getpid(), "StartedAt": stamp()}
    return value


@pytest.fixture
def play(adapter: Adapter) -> Callable[[Callable[[Attacher], Coroutine[Any, Any, None]]], None]:
    """Runs a scene."""

    def run(scene: Callable[[Attacher], Coroutine[Any, Any, None]]) -> None:
        async def main() -> None:
            async def handle(request: httpx.Request) -> httpx.Response:
                await asyncio.sleep(0)  # An engine never answers at once.
                return adapter.engine.handle(request)

            engine = Engine("unix:///engine.sock", httpx.MockTransport(handle))
            await scene(Attacher(engine, as_backend(adapter.backend)))

        asyncio.run(main())

    return run


def test_two_at_once_ask_once_and_share_the_attach(play, adapter, running):
    async def scene(attacher):
        both = await asyncio.gather(*[attacher.see_to(ID, each) for each in ("event", "start")])
        assert both[0] == both[1]
        assert isinstance(both[0], Attached)

    play(scene)
    assert adapter.engine.calls == [INSPECT]
    assert len(adapter.backend.attached) == 1


def test_one_whose_command_runs_already_is_late(play, adapter, running, monkeypatch):
    """Our own process runs no gate; the other time it is said to."""

    async def scene(attacher):
        assert (await attacher.see_to(ID, "found")).late
        monkeypatch.setattr(attaching, "process_of", lambda pid: Process.GATE)
        assert not (await attacher.see_to(ID, "found", again=True)).late

    play(scene)


def test_who_comes_while_it_is_attached_asks_no_more(play, adapter, running):
    adapter.backend.hold = threading.Event()

    async def scene(attacher):
        first = asyncio.create_task(attacher.see_to(ID, "event"))
        while attacher.book.get(ID) is None:  # noqa: ASYNC110 - the program's own steps
            await asyncio.sleep(0)
        second = asyncio.create_task(attacher.see_to(ID, "start"))
        await asyncio.sleep(0)
        adapter.backend.hold.set()
        assert await first == await second

    play(scene)
    assert adapter.engine.calls == [INSPECT]


def test_who_comes_afterwards_asks_no_more_unless_it_shall_be_done_again(play, adapter, running):
    async def scene(attacher):
        await attacher.see_to(ID, "event")
        assert isinstance(await attacher.see_to(ID, "start"), Attached)
        assert adapter.engine.calls == [INSPECT]
        await attacher.see_to(ID, "start", again=True)
        assert adapter.engine.calls == [INSPECT] * 2

    play(scene)
    assert len(adapter.backend.attached) == 2


def test_another_run_is_asked_about_and_attached(play, adapter, running):
    """The one that is in the books has ended, though its event has not come yet."""
    with subprocess.Popen(["sleep", "60"]) as child:
        running["State"]["Pid"] = child.pid

        async def scene(attacher):
            await attacher.see_to(ID, "start")
            child.kill()
            child.wait()
            running["State"] = {"Pid": os.getpid(), "StartedAt": stamp()}
            assert isinstance(await attacher.see_to(ID, "start"), Attached)

        play(scene)
    assert [each.pid for each, _ in adapter.backend.attached] == [child.pid, os.getpid()]


def test_what_one_could_not_learn_the_other_asks(play, adapter, running):
    answers = adapter.engine.answers
    good, answers[INSPECT] = answers[INSPECT], (500, {"message": "no"})

    async def scene(attacher):
        first = asyncio.create_task(attacher.see_to(ID, "event"))
        second = asyncio.create_task(attacher.see_to(ID, "start"))
        with pytest.raises(EngineError):
            await first
        answers[INSPECT] = good
        assert isinstance(await second, Attached)

    play(scene)
    assert adapter.engine.calls == [INSPECT] * 2


def test_one_that_has_ended_when_it_is_attached_is_no_failure_though_the_engine_is_late(
    play, adapter, running
):
    """Its command is not there, say: the gate ends at once, and the engine notes it afterwards."""
    child = subprocess.Popen(["true"])
    child.wait()
    running["State"] = {"Pid": child.pid, "StartedAt": stamp()}
    adapter.backend.error = AttachError("container not running")

    async def scene(attacher):
        asked = asyncio.create_task(attacher.see_to(ID, "start"))
        while len(adapter.engine.calls) < 3:  # noqa: ASYNC110 - the program's own steps
            await asyncio.sleep(0)
        running["State"] = {"Pid": 0, "StartedAt": stamp()}
        assert await asked == Ended()

    play(scene)


def test_one_whose_process_cannot_be_seen_is_a_failure_in_the_end(
    play, adapter, running, monkeypatch
):
    monkeypatch.setattr(attaching, "ENGINE_LATE_SECONDS", (0.0, 0.0))
    child = subprocess.Popen(["true"])
    child.wait()
    running["State"] = {"Pid": child.pid, "StartedAt": stamp()}
    adapter.backend.error = AttachError("container not running")

    async def scene(attacher):
        assert isinstance(await attacher.see_to(ID, "start"), Failed)

    play(scene)
    assert adapter.engine.calls == [INSPECT] * 4


def test_an_older_runs_attach_that_is_given_up_leaves_the_newer_ones_record(
    play, adapter, running, monkeypatch
):
    """It hung, and its container was restarted meanwhile."""
    adapter.backend.hold = threading.Event()
    monkeypatch.setattr(attaching, "ATTACH_SECONDS", 0.05)

    async def scene(attacher):
        first = asyncio.create_task(attacher.see_to(ID, "start"))
        while not attacher.threads.is_busy(ID):  # noqa: ASYNC110 - the program's own steps
            await asyncio.sleep(0)
        monkeypatch.setattr(attaching, "ATTACH_SECONDS", 30.0)
        running["State"] = {"Pid": os.getppid(), "StartedAt": stamp()}
        second = asyncio.create_task(attacher.see_to(ID, "event", again=True))
        assert await first == Ended()
        adapter.backend.hold.set()
        attached = await second
        assert isinstance(attached, Attached)
        assert attacher.book.get(ID).state == attached

    play(scene)


def test_of_one_that_has_ended_nothing_is_known(play, adapter, container):
    container("WEAVE_CIDR=", running=False)

    async def scene(attacher):
        both = await asyncio.gather(*[attacher.see_to(ID, each) for each in ("event", "start")])
        assert both == [Ended(), Ended()]

    play(scene)
    assert adapter.engine.calls == [INSPECT] * 2


def test_a_run_is_running_as_long_as_its_process_is_there():
    with subprocess.Popen(["sleep", "60"]) as child:
        assert is_running(child.pid, stamp())
        # A process that was started after it, with the pid that it had.
        assert not is_running(child.pid, stamp(minutes=1))
        assert not is_running(child.pid, "")
        child.kill()
    assert not is_running(child.pid, stamp())


REFUSED = f"Unable to claim: address 10.2.1.5/24 already in use by {'b' * 12}"


@pytest.mark.parametrize("holder", [None, {"Id": "b" * 64, "Name": "/b", "State": {"Pid": 0}}])
def test_an_address_of_one_that_has_just_ended_is_had_a_moment_later(
    play, adapter, running, monkeypatch, holder
):
    """Its link is there still: the kernel takes its namespace down in its own time."""
    if holder is not None:
        adapter.engine.answers[f"GET /containers/{'b' * 12}/json"] = (200, holder)
    refusals = iter([AttachError(REFUSED)] * 2)

    def attach(target, wanted):
        for refusal in refusals:
            raise refusal
        return ("10.2.1.5/24",)

    monkeypatch.setattr(adapter.backend, "attach", attach)

    async def scene(attacher):
        assert isinstance(await attacher.see_to(ID, "start"), Attached)

    play(scene)


@pytest.mark.parametrize(("pid", "tries"), [(1, 1), (0, 3)])
@pytest.mark.usefixtures("running")
def test_who_stays_there_is_named(play, adapter, monkeypatch, pid, tries):
    """Of one that has ended, a process in its namespace may go on for ever."""
    monkeypatch.setattr(attaching, "ENGINE_LATE_SECONDS", (0.0, 0.0))
    holder = {"Id": "b" * 64, "Name": "/db", "State": {"Pid": pid}}
    adapter.engine.answers[f"GET /containers/{'b' * 12}/json"] = (200, holder)
    tried = []

    def attach(target, wanted):
        tried.append(target)
        raise AttachError(REFUSED)

    monkeypatch.setattr(adapter.backend, "attach", attach)

    async def scene(attacher):
        outcome = await attacher.see_to(ID, "start")
        assert isinstance(outcome, Failed)
        assert outcome.reason.endswith(f"already in use by db ({'b' * 12})")

    play(scene)
    assert len(tried) == tries
