"""launch, status and stop on a real engine, as containers and as processes of the host."""

from __future__ import annotations

import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from tests.support import images
from tests.support.engine import PrivateEngine
from tests.support.launched import ROOT, WEAVEWAIT, launched, weavewait
from tests.support.screen import on_screen
from tests.support.traces import traces
from waitforweave import __version__

MODES = {"containers": (), "processes": ("--host-process",)}
SHOW = ("ip", "-4", "-o", "addr", "show", "ethwe")


@pytest.fixture(params=MODES)
def mode(request, engine: PrivateEngine, volume_image: str):
    """One way to launch: its options, and the namespaces in which `weavewait` runs."""
    options = MODES[request.param]
    return options, engine.enter() if options else []


def test_the_main_job_and_nothing_is_left(engine, mode):
    options, enter = mode
    before = traces(engine)
    with launched(engine, engine.root / "mode" / "d.sock", *options, enter=enter) as client:
        run = ("run", "--rm", "-e", "WEAVE_CIDR=10.2.1.5/24", images.BUSYBOX, *SHOW)
        assert "inet 10.2.1.5/24" in client.docker(*run).out
    assert traces(engine) == before


def test_a_second_launch_changes_nothing(engine, mode):
    options, enter = mode
    socket = engine.root / "twice" / "d.sock"
    with launched(engine, socket, *options, enter=enter):
        before = engine.docker("ps", "-aq", "--no-trunc").out
        words = ("launch", "--engine", engine.url, "--listen", f"unix://{socket}", *options)
        again = weavewait(*words, enter=enter)
        assert (again.code, again.out) == (0, f"export DOCKER_HOST=unix://{socket}\n")
        assert again.err == "weavewait launch: all of it runs already\n"
        assert engine.docker("ps", "-aq", "--no-trunc").out == before


def test_two_launches_at_the_same_moment(engine, mode):
    """One after the other: the second finds all of it there."""
    options, enter = mode
    socket = engine.root / "both" / "d.sock"
    words = ("launch", "--engine", engine.url, "--listen", f"unix://{socket}", *options)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: weavewait(*words, enter=enter), range(2)))
    try:
        assert [each.code for each in both] == [0, 0], both
        first, second = sorted(both, key=lambda each: "runs already" in each.err)
        assert first.err.splitlines()[-1].startswith("weavewait launch: started weavewait, ")
        assert second.err.splitlines()[-1] == "weavewait launch: all of it runs already"
        assert first.out == second.out == f"export DOCKER_HOST=unix://{socket}\n"
    finally:
        assert weavewait("stop", "--engine", engine.url, enter=enter).code == 0
    assert parts_of(engine) == []


def test_a_second_launch_with_other_options_is_refused(engine, mode):
    options, enter = mode
    with launched(engine, engine.root / "other" / "d.sock", *options, enter=enter):
        words = ("launch", "--engine", engine.url, "--listen", "unix:///tmp/x/y.sock", *options)
        refused = weavewait(*words, enter=enter)
        assert refused.code == 1
        assert (
            f"listen is unix://{engine.root}/other/d.sock, not unix:///tmp/x/y.sock" in refused.err
        )
        assert f"weavewait stop --engine {engine.url}" in refused.err


def test_status_says_what_is_there(engine, mode):
    options, enter = mode
    with launched(engine, engine.root / "status" / "d.sock", *options, enter=enter) as client:
        client.docker(
            "run", "-d", "--name", "one", "-e", "WEAVE_CIDR=", images.BUSYBOX, "sleep", "99"
        )
        status = weavewait("status", "--engine", engine.url, enter=enter)
        as_json = weavewait("status", "--engine", engine.url, "--json", enter=enter)
        client.docker("rm", "-f", "one")
    assert status.code == 0, status.out + status.err
    parts, table = status.out.split("\n\n")
    words = [line.split(None, 1) for line in parts.splitlines()]
    assert words[0] == ["weavewait", "there"]
    assert [state for _, state in words] == ["there", "running", "running"]
    (row,) = json.loads(as_json.out)["containers"]
    assert (row["name"], row["state"], row["backend"]) == ("one", "ready", "bridge")
    assert row["promised"] == ["net:default"]
    (address,) = row["addresses"]
    assert 0 < row["took"] < 60
    heading, line = table.splitlines()
    assert heading.split() == ["NAME", "STATE", "PROMISED", "THERE", "BACKEND", "RETRIES"]
    cells = ["one", "ready", "(took", f"{row['took']:.2f}", "s)", "net:default", address]
    assert line.split() == [*cells, "bridge", "0"]
    gone = weavewait("status", "--engine", engine.url, enter=enter)
    assert gone.code == 1
    assert gone.out.splitlines()[0].split(None, 1)[1] == "not there: weavewait launch"


def test_stop_names_the_containers_that_still_want_the_gate(engine, volume_image):
    with launched(engine, engine.root / "names" / "d.sock") as client:
        client.docker(
            "run", "-d", "--name", "left", "-e", "WEAVE_CIDR=", images.BUSYBOX, "sleep", "99"
        )
        stopped = weavewait("stop", "--engine", engine.url)
        assert stopped.code == 0
        took, running, *_, ways = stopped.err.splitlines()
        assert took.startswith(
            "weavewait stop: took away weavewait-proxy, weavewait-hooks, the network, "
            "weavewait-run, weavewait-state, weavewait ("
        )
        assert running == "weavewait stop: gated and running: left: run on, without ethwe"
        assert "weavewait unwrap NAME" in ways
        assert engine.docker("inspect", "-f", "{{.State.Running}}", "left").out == "true\n"
        engine.docker("rm", "-f", "-v", "left")


def test_stop_without_a_launch_is_no_error(engine, mode):
    _, enter = mode
    stopped = weavewait("stop", "--engine", engine.url, enter=enter)
    assert (stopped.code, stopped.err) == (0, "weavewait stop: nothing is launched\n")


def test_without_the_image_launch_says_how_to_build_it(engine):
    words = ("launch", "--engine", engine.url, "--image", "nobody:here")
    refused = weavewait(*words)
    assert refused.code == 1
    assert refused.err == (
        f"weavewait launch: the engine at {engine.url} has no image nobody:here; "
        f"build it there: DOCKER_HOST={engine.url} make image\n"
    )


def test_no_engine_is_a_clear_line(tmp_path):
    refused = weavewait("launch", "--engine", f"unix://{tmp_path}/none.sock")
    assert refused.code == 1
    assert len(refused.err.splitlines()) == 1
    assert f"unix://{tmp_path}/none.sock" in refused.err


def test_the_proxys_socket_has_the_engine_sockets_owner_and_mode(engine, mode):
    options, enter = mode
    socket = engine.root / "rights" / "d.sock"
    with launched(engine, socket, *options, enter=enter):
        ours, engines = socket.stat(), engine.socket.stat()
        assert (ours.st_uid, ours.st_gid, ours.st_mode) == (
            engines.st_uid,
            engines.st_gid,
            engines.st_mode,
        )


def test_a_part_that_ended_is_brought_back(engine, volume_image):
    with launched(engine, engine.root / "back" / "d.sock") as client:
        engine.docker("rm", "-f", "weavewait-hooks")
        words = ("launch", "--engine", engine.url, "--listen", client.url)
        # At a terminal one sees which it is.
        with on_screen([*WEAVEWAIT, *words], NO_COLOR="1") as screen:
            screen.until(b"weavewait launch: starting weavewait-hooks 0:00:0")
            screen.until(b"weavewait launch: started weavewait-hooks (")
            assert screen.ended() == 0
        assert b"\x1b[3" not in screen.shown
        run = ("run", "--rm", "-e", "WEAVE_CIDR=10.2.1.6/24", images.BUSYBOX, *SHOW)
        assert "inet 10.2.1.6/24" in client.docker(*run).out


def test_launch_runs_from_the_image_itself(engine, volume_image):
    socket = engine.root / "inside" / "d.sock"
    mount = f"{engine.socket}:{engine.socket}"
    words = ("run", "--rm", "-v", mount, volume_image)
    options = ("--engine", engine.url)
    said = engine.docker(*words, "launch", *options, "--listen", f"unix://{socket}")
    assert said.out == f"export DOCKER_HOST=unix://{socket}\n"
    names = engine.docker("ps", "--format", "{{.Names}}").out.split()
    assert {"weavewait-hooks", "weavewait-proxy"} <= set(names)
    engine.docker(*words, "stop", *options)
    assert "weavewait" not in engine.docker("ps", "-a", "--format", "{{.Names}}").out


def test_the_programs_have_only_their_capabilities(engine, volume_image):
    with launched(engine, engine.root / "caps" / "d.sock"):
        said = engine.docker("inspect", "weavewait-hooks", "weavewait-proxy").out
        hooks, proxy = (container["HostConfig"] for container in json.loads(said))
    assert hooks["CapDrop"] == proxy["CapDrop"] == ["ALL"]
    assert not hooks["Privileged"]
    assert not proxy["Privileged"]


def test_a_launch_that_fails_leaves_nothing_and_may_be_corrected(engine, mode):
    options, enter = mode
    before = traces(engine)
    words = ("launch", "--engine", engine.url, *options, "--listen")
    taken = weavewait(*words, engine.url, enter=enter)
    assert taken.code == 1
    assert len(taken.err.splitlines()) == 1
    assert f"{engine.url}: somebody listens there already" in taken.err
    assert traces(engine) == before
    with launched(engine, engine.root / "corrected" / "d.sock", *options, enter=enter):
        pass


def test_a_volume_container_that_was_there_outlives_a_launch_that_fails(engine, volume_image):
    engine.docker("create", "--name", "weavewait", volume_image)
    assert weavewait("launch", "--engine", engine.url, "--listen", engine.url).code == 1
    engine.docker("rm", "-v", "weavewait")


def test_tcp_beyond_loopback_is_refused_before_anything_is_started(engine):
    words = ("launch", "--engine", engine.url, "--image", "nobody:here")
    refused = weavewait(*words, "--listen", "tcp://0.0.0.0:2375")
    assert refused.code == 1
    assert refused.err.startswith("weavewait launch: tcp://0.0.0.0:2375: anybody who reaches")


def parts_of(engine: PrivateEngine) -> list[psutil.Process]:
    """The hook servers and proxies that run as processes for this engine."""
    options = {"serve", "proxy", f"--engine={engine.url}"}
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if len(options & set(process.info["cmdline"] or ())) == 2
    ]


def test_a_launch_that_is_killed_loses_no_process(engine, volume_image):
    before = traces(engine)
    words = ("launch", "--engine", engine.url, "--host-process")
    with subprocess.Popen([*engine.enter(), *WEAVEWAIT, *words], cwd=ROOT) as launching:
        deadline = time.monotonic() + 30
        while not parts_of(engine):
            assert time.monotonic() < deadline
        # nsenter has forked, to be in the pid namespace.
        for process in psutil.Process(launching.pid).children():
            process.kill()
    assert weavewait("stop", "--engine", engine.url, enter=engine.enter()).code == 0
    assert parts_of(engine) == []
    assert traces(engine) == before


def test_stop_ends_the_hosts_processes_also_where_the_engine_has_gone(engine, volume_image):
    away = engine.socket.with_suffix(".away")
    with launched(engine, engine.root / "gone" / "d.sock", "--host-process", enter=engine.enter()):
        engine.socket.rename(away)
        try:
            stopped = weavewait("stop", "--engine", engine.url, enter=engine.enter())
        finally:
            away.rename(engine.socket)
        assert stopped.code == 1
        assert stopped.err == (
            f"weavewait stop: no answer from the engine at {engine.url}: "
            "No such file or directory; weavewait doctor says what to do\n"
        )
        assert parts_of(engine) == []


def test_a_stop_that_could_not_take_the_network_away_can_be_repeated(engine, volume_image):
    before = traces(engine)
    with launched(engine, engine.root / "again" / "d.sock") as client:
        client.docker("run", "--rm", "-e", "WEAVE_CIDR=", images.BUSYBOX)
        engine.docker("image", "rm", volume_image)
        try:
            stopped = weavewait("stop", "--engine", engine.url)
        finally:
            engine.docker("tag", f"weavewait:{__version__}", volume_image)
        assert stopped.code == 1
        assert "No such image: weavewait:latest" in stopped.err
    assert traces(engine) == before
