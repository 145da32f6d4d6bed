"""expose, hide and the other backends as commands, against a real engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.netns.attach.contract.rigs import DEBIANS_PLUGINS, bridge_plugin, conflist
from tests.support import fake_weave
from tests.support.docker_cli import Result

ROOT = Path(__file__).resolve().parents[3]


def test_expose_and_hide(machine):
    one = machine.start()
    machine.attach("10.2.1.5/24", one)
    assert machine.weavewait("expose", "10.2.1.1/24") == Result(0, "10.2.1.1\n", "")
    assert machine.weavewait("expose", "10.2.1.1/24") == Result(0, "10.2.1.1\n", "")
    assert machine.inside(one, "ping", "-c", "1", "-W", "5", "10.2.1.1").code == 0
    assert machine.run("busybox", "ping", "-c", "1", "-W", "5", "10.2.1.5").code == 0
    refused = machine.weavewait("attach", "10.2.1.1/24", one)
    assert refused == Result(
        1,
        "",
        "weavewait attach: Unable to claim: address 10.2.1.1/24 already in use by weave:expose\n",
    )
    assert machine.weavewait("hide") == Result(0, "10.2.1.1\n", "")
    assert machine.weavewait("hide") == Result(0, "", "")
    assert "10.2.1.1" not in machine.run("ip", "addr", "show", "weave").out


def test_detach_all_takes_the_hosts_address_too(machine):
    machine.weavewait("expose")
    assert machine.weavewait("detach", "--all") == Result(0, "", "")
    assert "10.32.0.1" not in machine.run("ip", "addr").out


def test_an_mtu_and_no_multicast_route(machine):
    one = machine.start()
    machine.attach("--mtu=1376", "--no-multicast-route", "10.2.1.5/24", one)
    assert "mtu 1376" in machine.inside(one, "ip", "link", "show", "ethwe").out
    assert "224.0.0.0" not in machine.inside(one, "ip", "route").out


@pytest.fixture
def cni(machine, tmp_path):
    """The options of a network of Debian's plugins; its bridge goes again."""
    config = tmp_path / "net.conflist"
    config.write_text(json.dumps(conflist(bridge_plugin(tmp_path), {"type": "tuning"})))
    options = ("--backend=cni", f"--cni-config={config}", f"--cni-path={DEBIANS_PLUGINS}")
    yield options
    machine.weavewait("detach", "--all", *options)
    machine.run("ip", "link", "del", "cni0")


def test_cni(machine, cni):
    one, two = machine.start(), machine.start("--net=none")
    assert machine.attach(*cni, "10.2.1.5/24", one) == "10.2.1.5"
    assert machine.attach(*cni, "10.2.1.6/24", two) == "10.2.1.6"
    shown = machine.inside(two, "ip", "addr", "show", "ethwe").out
    assert "10.2.1.6/24" in shown
    assert machine.weavewait("detach", *cni, two) == Result(0, "10.2.1.6\n", "")
    machine.engine.docker("kill", one)
    # Its namespace is gone; its address is given back all the same.
    assert machine.weavewait("detach", *cni, one) == Result(0, "10.2.1.5\n", "")
    assert not machine.state.joinpath("cni").exists() or not any(machine.state.glob("cni/*"))
    exposed = machine.weavewait("expose", *cni, "10.2.1.1/24")
    assert exposed.code == 1
    assert exposed.err.startswith("weavewait expose: the backend cni cannot expose the host")


def test_cni_from_the_frozen_tool(machine, cni):
    """The plugins are programs of the host: they load its libraries, not the bundle's."""
    one = machine.start("--net=none")
    tool = [str(ROOT / "dist/weavewait/weavewait"), "attach", f"--engine={machine.engine.url}"]
    attached = machine.run(*tool, f"--state={machine.state}", *cni, "10.2.1.5/24", one)
    assert attached == Result(0, "10.2.1.5\n", "")
    assert "10.2.1.5/24" in machine.inside(one, "ip", "addr", "show", "ethwe").out


def test_cni_that_is_not_configured_is_told_in_one_line(machine, tmp_path):
    one = machine.start()
    words = ["--backend=cni", f"--cni-config={tmp_path}/none", one]
    assert machine.weavewait("attach", *words) == Result(
        1,
        "",
        f"weavewait attach: CNI configuration {tmp_path}/none: No such file or directory\n",
    )


def test_weave(machine, tmp_path, monkeypatch):
    one = machine.start("--net=none")
    pid = machine.engine.docker("inspect", "-f", "{{.State.Pid}}", one).out.strip()
    folder = tmp_path / "weave"
    program = fake_weave.install(folder, machine.engine.url, {one: int(pid)}) / "weave"
    monkeypatch.setenv(fake_weave.FOLDER, str(folder))
    options = ("--backend=weave", f"--weave={program}")
    try:
        assert machine.attach(*options, "10.2.1.5/24", one) == "10.2.1.5"
        assert "10.2.1.5/24" in machine.inside(one, "ip", "addr", "show", "ethwe").out
        assert machine.weavewait("expose", *options) == Result(0, "10.32.0.1\n", "")
        assert machine.weavewait("hide", *options) == Result(0, "10.32.0.1\n", "")
        refused = machine.weavewait("attach", *options, "net:10.9.0.0/24", one)
        assert refused.err == (
            "weavewait attach: weave attach: range 10.9.0.0/24 out of bounds: 10.32.0.0/12 "
            "(exit code 1)\n"
        )
        assert machine.weavewait("detach", "--all", *options) == Result(0, "", "")
        assert fake_weave.claims(folder) == {}
    finally:
        machine.run("ip", "link", "del", "weave")
