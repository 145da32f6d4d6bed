"""Containers that are attached while the engine still makes them."""

from __future__ import annotations

import asyncio
import os
import struct
import subprocess
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.hooks.conftest import Adapter, as_backend
from waitforweave.attach.backend import AttachError, Container
from waitforweave.docker.engine import Engine
from waitforweave.gate import nlmsg, rtnl, uapi
from waitforweave.hooks.ahead import Ahead, newest
from waitforweave.hooks.attaching import Attacher
from waitforweave.hooks.book import Attached, Ended, Failed
from waitforweave.hooks.protocol import ClientRequest, ServerResponse
from waitforweave.hooks.start_hook import StartHook

ID = "c" * 64
OTHER = "b" * 64
PID = os.getpid()
# As /proc/PID/net/route has them: with the engine's interface, and without.
NO_ROUTES = "Iface\tDestination\tGateway\n"
ROUTES = f"{NO_ROUTES}eth0\t000011AC\t00000000\n"
Scene = Callable[[Ahead], Coroutine[Any, Any, None]]


class Proc:
    """A /proc of the test's own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, pid: int, container: str, network: str = "net:[1]", routes: str = ROUTES) -> None:
        """A process of a container."""
        folder = self.root / str(pid)
        (folder / "ns").mkdir(parents=True, exist_ok=True)
        (folder / "ns/net").unlink(missing_ok=True)
        (folder / "ns/net").symlink_to(network)
        (folder / "cgroup").write_text(f"0::/docker/{container}\n")
        (folder / "net").mkdir(exist_ok=True)
        (folder / "net/route").write_text(routes)


@pytest.fixture
def proc(tmp_path) -> Proc:
    (tmp_path / "self").mkdir()
    (tmp_path / "loadavg").write_text(f"0.00 0.00 0.00 1/85 {PID}\n")
    return Proc(tmp_path)


@pytest.fixture
def play(adapter: Adapter, proc: Proc, container) -> Callable[[Scene], None]:
    """Runs a scene; the engine has told of a container that wants an address."""

    def run(scene: Scene) -> None:
        async def main() -> None:
            transport = httpx.MockTransport(adapter.engine.handle)
            attacher = Attacher(Engine("unix:///e.sock", transport), as_backend(adapter.backend))
            container("WEAVE_CIDR=10.2.1.5/24", running=False)
            await attacher.foresee(ID, "event create")
            await scene(Ahead(attacher, proc.root))

        asyncio.run(main())

    return run


@pytest.fixture
def starts(container) -> Callable[[], None]:
    """The engine says that the container's process is this test's."""

    def start() -> None:
        value = container("WEAVE_CIDR=10.2.1.5/24")
        value["State"] |= {"StartedAt": "2026-11-26T00:00:00Z"}

    return start


def link(index: int, operstate: int, name: str = "veth1", kind: int = uapi.RTM_NEWLINK) -> bytes:
    """What the kernel says of an interface."""
    name_value = nlmsg.encode_attribute(uapi.IFLA_IFNAME, name.encode() + b"\0")
    state = nlmsg.encode_attribute(uapi.IFLA_OPERSTATE, bytes([operstate]))
    return nlmsg.encode(kind, 0, 0, rtnl.IFINFOMSG.pack(0, 0, index, 0, 0) + name_value + state)


UP = link(7, uapi.IF_OPER_UP)
DOWN = link(7, 2)


async def begun(ahead: Ahead, proc: Proc, pid: int = PID) -> None:
    """The container is about to start, its process comes, and what was begun of it has ended."""
    ahead.expect(ID)
    proc.put(pid, ID)
    ahead.look()
    await quiet(ahead)


async def quiet(ahead: Ahead) -> None:
    """Until what was begun has ended."""
    await asyncio.sleep(0)
    await ahead.attacher.threads.quiet(ID)


def test_it_is_attached_as_soon_as_its_process_is_seen(play, adapter, proc, starts):
    proc.put(11, OTHER)

    async def scene(ahead):
        ahead.expect(ID)
        ahead.look()
        assert ahead.expected == {ID}, "its process is not there yet"
        proc.put(PID, ID)
        ahead.look()
        await quiet(ahead)
        assert adapter.backend.attached == [(Container(ID, PID), ["10.2.1.5/24"])]
        starts()
        outcome = await ahead.attacher.see_to(ID, "event start")
        assert isinstance(outcome, Attached)
        assert not outcome.late
        assert len(adapter.backend.attached) == 1, "the attach of its run is the one that was begun"

    play(scene)


def test_an_engine_that_tells_late_has_its_process_there_already(play, adapter, proc):
    proc.put(PID, ID)

    async def scene(ahead):
        ahead.expect(ID)
        await quiet(ahead)
        ahead.expect(ID)
        assert ahead.expected == set(), "connected to a second network"
        await quiet(ahead)
        assert len(adapter.backend.attached) == 1

    play(scene)


@pytest.mark.parametrize(
    ("last", "found"), [(9, [8, 7, 6]), (7, [7, 6, 1]), (1, [1, 8, 7]), (0, [8, 7, 6])]
)
def test_the_newest_processes_also_where_the_numbers_began_again(proc, last, found):
    (proc.root / "loadavg").write_text(f"0.00 0.00 0.00 1/85 {last}\n")
    for pid in (1, 6, 7, 8):
        proc.put(pid, OTHER)
    assert newest(proc.root, 3) == found


@pytest.mark.parametrize("before", ["in our own network namespace", "another's"])
def test_no_other_process_is_taken_for_its_first_one(play, adapter, proc, before):
    own = str(Path("/proc/thread-self/ns/net").readlink())

    async def scene(ahead):
        ahead.expect(ID)
        if before == "in our own network namespace":
            proc.put(PID, ID, own)
        if before == "another's":
            proc.put(PID, OTHER)
        ahead.look()
        await quiet(ahead)
        assert adapter.backend.attached == []
        ahead.dismiss(ID)
        assert ahead.expected == set()

    play(scene)


@pytest.mark.parametrize("routes", ["", NO_ROUTES])
def test_it_is_not_attached_before_the_engine_has_connected_it(play, adapter, proc, routes):
    """What another container's interface made us look at: the engine switches IPv6 off in all that
    is there when it begins with this one's."""

    async def scene(ahead):
        ahead.expect(ID)
        proc.put(PID, ID, routes=routes)
        ahead.look()
        await quiet(ahead)
        assert adapter.backend.attached == []
        proc.put(PID, ID)
        ahead.look()
        await quiet(ahead)
        assert len(adapter.backend.attached) == 1

    play(scene)


def test_a_cgroup_may_have_any_name(play, adapter, proc):
    """Whoever has one of his own may give it: it is no reason to see nobody any more."""

    async def scene(ahead):
        ahead.expect(ID)
        proc.put(11, OTHER)
        (proc.root / "11/cgroup").write_bytes(b"0::/user/\xff\n")
        proc.put(PID, ID)
        ahead.look()
        await quiet(ahead)
        assert len(adapter.backend.attached) == 1

    play(scene)


@pytest.mark.parametrize("why", ["not asked about yet", "runs already", "asks the engine itself"])
def test_only_what_is_known_and_does_not_run_is_expected(play, adapter, starts, why):
    async def scene(ahead):
        if why == "runs already":
            starts()
            await ahead.attacher.see_to(ID, "event start")
        adapter.backend.by_process = why != "asks the engine itself"
        ahead.expect(OTHER if why == "not asked about yet" else ID)
        assert ahead.expected == set()

    play(scene)


@pytest.mark.parametrize(
    ("sysctls", "ahead_of_it"),
    [
        (None, True),
        ({"net.core.somaxconn": "1024", "net.ipv4.ip_unprivileged_port_start": "0"}, True),
        ({"net.ipv6.conf.all.disable_ipv6": "1"}, False),
        ({"net.ipv4.conf.default.rp_filter": "2"}, False),
        ({"net.ipv4.neigh.default.gc_stale_time": "30"}, False),
    ],
)
def test_one_with_sysctls_of_interfaces_is_attached_when_they_are_set(
    play, container, sysctls, ahead_of_it
):
    async def scene(ahead):
        value = container("WEAVE_CIDR=10.2.1.5/24", running=False, name="b")
        value["HostConfig"]["Sysctls"] = sysctls
        await ahead.attacher.foresee(OTHER, "event create")
        ahead.expect(OTHER)
        assert (OTHER in ahead.expected) is ahead_of_it

    play(scene)


def test_what_fails_ahead_is_tried_again_and_told_of(play, adapter, proc, starts):
    adapter.backend.error = AttachError("no address")

    async def scene(ahead):
        await begun(ahead, proc)
        starts()
        outcome = await ahead.attacher.see_to(ID, "event start")
        assert isinstance(outcome, Failed)
        assert outcome.reason == "no address"
        adapter.backend.error = None
        assert isinstance(await ahead.attacher.see_to(ID, "retry"), Attached)

    play(scene)


def test_a_fault_of_our_own_ahead_is_nothing_to_the_start(play, adapter, proc, starts, monkeypatch):
    attach, faults = adapter.backend.attach, iter([ZeroDivisionError()])

    def once(container, wanted):
        for fault in faults:
            raise fault
        return attach(container, wanted)

    monkeypatch.setattr(adapter.backend, "attach", once)

    async def scene(ahead):
        await begun(ahead, proc)
        starts()
        assert isinstance(await ahead.attacher.see_to(ID, "event start"), Attached)

    play(scene)


def test_another_process_than_the_runs_counts_for_nothing(play, adapter, proc, starts):
    with subprocess.Popen(["sleep", "60"]) as child:

        async def scene(ahead):
            await begun(ahead, proc, child.pid)
            starts()
            assert isinstance(await ahead.attacher.see_to(ID, "event start"), Attached)
            assert [each.pid for each, _ in adapter.backend.attached] == [child.pid, PID]

        play(scene)
        child.kill()


def test_an_attach_that_is_under_way_is_waited_for(play, adapter, proc, starts):
    adapter.backend.hold = threading.Event()

    async def scene(ahead):
        ahead.expect(ID)
        proc.put(PID, ID)
        ahead.look()
        starts()
        waiting = asyncio.create_task(ahead.attacher.see_to(ID, "event start"))
        while ahead.attacher.book.get(ID) is None:  # noqa: ASYNC110 - the program's own steps
            await asyncio.sleep(0)
        assert not waiting.done()
        adapter.backend.hold.set()
        assert isinstance(await waiting, Attached)
        assert len(adapter.backend.attached) == 1

    play(scene)


def test_one_that_has_ended_at_once_is_not_asked_about(play, adapter, proc, caplog):
    """The engine would answer when it has taken it down; who started it need not wait for that."""
    caplog.set_level("INFO")
    with subprocess.Popen(["sleep", "60"]) as child:

        async def scene(ahead):
            await begun(ahead, proc, child.pid)
            assert not ahead.attacher.is_over(ID)
            child.kill()
            child.wait()
            assert ahead.attacher.is_over(ID)
            asked = len(adapter.engine.calls)
            request = ClientRequest("POST", f"/v1.41/containers/{ID}/start", None)
            response = ServerResponse("text/plain", None, 204)
            assert await StartHook(ahead.attacher)(request, response) is response
            assert adapter.engine.calls[asked:] == []
            ahead.attacher.end(ID)
            assert f"event die {ID[:12]}: had 10.2.1.5/24 ahead of its start" in caplog.text
            assert not ahead.attacher.is_over(ID)
            assert await ahead.attacher.see_to(ID, "event start") == Ended()

        play(scene)


def test_the_process_of_a_start_that_failed_is_not_the_next_runs(play, proc):
    """The engine tells of no end of it; who starts it again waits for its network all the same."""
    with subprocess.Popen(["sleep", "60"]) as child:

        async def scene(ahead):
            await begun(ahead, proc, child.pid)
            ahead.expect(ID)
            assert ahead.attacher.early.addresses(ID) is not None, "a second network's event"
            child.kill()
            child.wait()
            assert ahead.attacher.is_over(ID)
            ahead.expect(ID)
            assert not ahead.attacher.is_over(ID)

        play(scene)


@pytest.mark.parametrize("how", ["by its event", "by a look at all that is there"])
def test_what_is_destroyed_is_forgotten(play, proc, how):
    async def scene(ahead):
        attacher = ahead.attacher
        await begun(ahead, proc)
        assert attacher.early.addresses(ID) == ("10.2.1.5/24",)
        if how == "by its event":
            attacher.forget(ID)
        else:
            attacher.keep(set(), set(), 0.0)
        assert attacher.early.addresses(ID) is None
        assert not attacher.goes_ahead(ID)

    play(scene)


@pytest.mark.parametrize(
    ("datagrams", "came"),
    [
        ([UP], [True]),
        ([UP, UP], [True, False]),
        ([UP, DOWN, UP], [True, False, True]),
        ([UP, link(7, uapi.IF_OPER_UP, kind=uapi.RTM_DELLINK), UP], [True, False, True]),
        ([DOWN + UP], [True]),
        ([link(7, uapi.IF_OPER_UP, "vethwl0123456789"[:15])], [False]),
        ([b"\x01", struct.pack("=IHHII", 16, uapi.NLMSG_DONE, 0, 0, 0)], [False, False]),
    ],
    ids=["up", "up still", "down between", "gone between", "one datagram", "ours", "no link"],
)
def test_an_interface_that_comes_up_is_noticed_once(play, datagrams, came):
    async def scene(ahead):
        assert [ahead.came_up(each) for each in datagrams] == came

    play(scene)


def test_interfaces_that_cannot_be_followed_are_no_reason_to_fail(play, monkeypatch, caplog):
    def refused() -> None:
        raise PermissionError("no")

    monkeypatch.setattr("waitforweave.hooks.ahead.link_events", refused)

    async def scene(ahead):
        with ahead.listening():
            pass
        assert "interfaces cannot be followed, so none is attached ahead: no" in caplog.text

    play(scene)
