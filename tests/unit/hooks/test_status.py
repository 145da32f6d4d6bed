"""What is said of a container: state, times and reasons, by its facts."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from typing import Any

import httpx
import pytest

from tests.unit.hooks.conftest import Adapter, as_backend
from waitforweave import __version__
from waitforweave.docker.engine import Engine
from waitforweave.hooks.attaching import Attacher
from waitforweave.hooks.book import Attached, Attaching, Failed, Record, Run, State
from waitforweave.hooks.process import Process, process_of, seconds
from waitforweave.hooks.status import Row, row, rows
from waitforweave.hooks.threads import ATTACHES_AT_ONCE, LOOKS_AT_ONCE
from waitforweave.hooks.watcher import Watcher

PATIENCE_SECONDS = 20.0
ID = "c" * 64
STARTED = 1_767_225_600.5
TEXT = "2026-01-01T00:00:00.500000123Z"
RUN = Run(ID, "a", 4711, TEXT)


def container(pid: int = 4711, **state: Any) -> dict[str, Any]:
    return {
        "Id": ID,
        "Name": "/a",
        "State": {"Running": bool(pid), "Pid": pid, "StartedAt": TEXT, **state},
        "Config": {"Env": ["WEAVE_CIDR=10.2.1.5/24,net:10.2.2.0/24"]},
        "HostConfig": {"NetworkMode": "default"},
    }


def said(process: Process, state: State | None, there: tuple[str, ...] = ("10.2.1.5/24",)) -> Row:
    record = None if state is None else Record(RUN, state, 0.0, retries=3)
    return row(container(), record, process, there, "bridge")


def test_what_was_promised_and_what_is_there():
    found = said(Process.COMMAND, None)
    assert found.promised == ["10.2.1.5/24", "net:10.2.2.0/24"]
    assert found.addresses == ["10.2.1.5/24"]
    assert (found.id, found.name, found.backend) == (ID, "a", "bridge")


def test_it_is_ready_when_the_gate_has_become_the_command():
    found = said(Process.COMMAND, Attached((), STARTED + 0.25))
    assert (found.state, found.retries) == ("ready", 3)
    assert found.took == pytest.approx(0.25)
    # Another server attached it: what nobody saw is not guessed.
    assert said(Process.COMMAND, None).took is None
    # This one did, but found it running.
    assert said(Process.COMMAND, Attached((), STARTED + 9.0, late=True)).took is None


@pytest.mark.parametrize("state", [None, Attaching(1.0), Attached((), 1.0)])
def test_it_waits_as_long_as_its_process_is_the_gate(state):
    found = said(Process.GATE, state)
    assert found.state == "waiting"
    assert found.since == pytest.approx(STARTED)


def test_it_has_failed_with_the_reason_and_when_we_try_again():
    found = said(Process.GATE, Failed("no address", 5.0, again=9.0), ())
    assert (found.state, found.reason, found.again) == ("failed", "no address", 9.0)


def test_one_without_a_gate_has_failed_all_the_same():
    assert said(Process.COMMAND, Failed("no address", 5.0), ()).state == "failed"


def test_somebody_else_attached_it_after_we_failed():
    assert said(Process.COMMAND, Failed("no address", 5.0)).state == "ready"


def test_one_that_has_ended():
    found = row(container(0, ExitCode=3), None, Process.UNSEEN, (), "bridge")
    assert (found.state, found.reason) == ("stopped", "exit code 3")


def test_the_record_of_an_older_run_says_nothing():
    record = Record(Run(ID, "a", 1, TEXT), Failed("old", 1.0), 0.0)
    assert row(container(), record, Process.GATE, (), "bridge").state == "waiting"


def test_a_process_that_may_not_be_seen_is_no_guess():
    assert said(Process.UNSEEN, Attached((), 1.0)).state == "unknown"


def test_a_process_is_known_by_its_program(tmp_path):
    assert process_of(os.getpid()) is Process.COMMAND
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "exe").symlink_to("/home/weavewait/lib/wait-for-weave")
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "exe").symlink_to("/home/weavewait-2/wait-for-weave")
    assert process_of(1, tmp_path) is Process.GATE
    assert process_of(2, tmp_path) is Process.COMMAND
    assert process_of(3, tmp_path) is Process.UNSEEN


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (TEXT, STARTED),
        ("2026-01-01T00:00:00Z", STARTED - 0.5),
        ("2026-01-01T02:00:00.500000001+02:00", STARTED),
        ("2025-12-31T19:00:00-05:00", STARTED - 0.5),
        ("", None),
        ("0001-01-01T00:00:00Z", -62135596800.0),
        ("nonsense", None),
    ],
)
def test_times_are_read_as_the_engine_writes_them(text, value):
    assert seconds(text) == (None if value is None else pytest.approx(value, abs=1e-5))


def test_the_server_tells_of_gated_and_of_attached_containers(adapter, container):
    gated = container("WEAVE_CIDR=", running=False)
    # No process has this pid, however many there were on this machine.
    container("WEAVE_CIDR=", name="b")["State"]["Pid"] = 1 << 30
    gated["State"]["ExitCode"] = 1
    adapter.engine.answers["GET /containers/json?all=1"] = (
        200,
        [
            {"Id": gated["Id"], "Command": "/home/weavewait/wait-for-weave sh"},
            {"Id": "b" * 64, "Command": "sh"},
            {"Id": "d" * 64, "Command": "sh"},
            {"Id": "e" * 64, "Command": "/home/weavewait/wait-for-weave gone"},
        ],
    )
    with adapter.kept():
        adapter.start("b")
        answer = adapter.get("/v1/status")
    said = json.loads(answer.text)
    # This one's watcher was never started.
    assert (said["version"], said["following"]) == (__version__, False)
    rows = said["containers"]
    assert [(each["name"], each["state"]) for each in rows] == [("a", "stopped"), ("b", "unknown")]


def test_without_the_engine_status_is_an_error(adapter):
    answer = adapter.get("/v1/status")
    assert answer.status_code == 404
    assert answer.json()["message"].startswith("weavewait: No such thing")


def many(adapter: Adapter, number: int) -> None:
    """So many gated containers; the engine notes the ids of those that it was asked about."""
    ids = [f"{n:064x}" for n in range(number)]
    gate = "/home/weavewait/wait-for-weave sh"
    listed = [{"Id": each, "Command": gate} for each in ids]
    adapter.engine.answers["GET /containers/json?all=1"] = (200, listed)
    for each in ids:
        answer = {**container(0), "Id": each}
        adapter.engine.answers[f"GET /containers/{each}/json"] = (200, answer)


def test_the_engine_is_asked_about_some_at_a_time(adapter: Adapter):
    """Also by several who ask at once."""
    many(adapter, 40)
    under_way, most = 0, 0

    async def handle(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(10):  # Whoever else may come comes meanwhile.
            await asyncio.sleep(0)
        under_way -= 1
        return adapter.engine.handle(request)

    async def main() -> list[int]:
        engine = Engine("unix:///engine.sock", httpx.MockTransport(handle))
        attacher = Attacher(engine, as_backend(adapter.backend))
        answers = await asyncio.gather(*(rows(attacher, "bridge") for _ in range(3)))
        return [len(each) for each in answers]

    assert asyncio.run(main()) == [40, 40, 40]
    assert 2 <= most <= LOOKS_AT_ONCE


def test_status_and_list_wait_for_no_attach(adapter):
    many(adapter, 1)
    (running,) = (body for _, body in adapter.engine.answers.values() if "State" in body)
    running["State"].update(Running=True, Pid=os.getpid())
    release = threading.Event()

    async def main() -> tuple[list[Row], object]:
        attacher = Attacher(adapter.fake_engine(), as_backend(adapter.backend))
        attaches = [attacher.threads.run(release.wait) for _ in range(ATTACHES_AT_ONCE)]
        hanging = asyncio.gather(*attaches)
        await asyncio.sleep(0)  # They are begun.
        async with asyncio.timeout(PATIENCE_SECONDS):
            seen = await rows(attacher, "bridge"), await Watcher(attacher).giving_back.held()
        assert not hanging.done()
        release.set()
        await hanging
        return seen

    try:
        found, held = asyncio.run(main())
    finally:
        release.set()
    assert (len(found), held) == (1, {})
