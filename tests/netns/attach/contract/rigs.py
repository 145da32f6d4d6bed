"""Each backend on a host of its own, with what the contract's tests want to know of it."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.netns.attach import test_bridge_faults
from tests.netns.attach.conftest import SUBNET, Host, addresses, names
from tests.netns.attach.faults import Faults, Faulty
from tests.netns.gate.space import Space
from tests.support import fake_weave
from waitforweave.attach import check, command, netns
from waitforweave.attach import weave as weave_backend
from waitforweave.attach.backend import AttachError, Container
from waitforweave.attach.choose import make_backend
from waitforweave.attach.options import Options
from waitforweave.attach.records import Records

ENGINE = "unix:///run/of-the-test/docker.sock"
DEBIANS_PLUGINS = "/usr/lib/cni"
KINDS = ("bridge", "weave", "cni")
# What a first attach makes for all: it stays.
SHARED = {"weave", "cni0"}
ALTNAME = re.compile(r"altname (\S+)")


@dataclass
class Rig:
    """`books` is what the backend's helpers remember, empty where nothing is given; `inject` has
    the n-th step of whatever comes fail."""

    kind: str
    host: Host
    options: Options
    books: Callable[[], object]
    inject: Callable[[pytest.MonkeyPatch, Rig, int], Faults]
    known: dict[str, int] = field(default_factory=dict)
    exposes: bool = True

    def again(self) -> Rig:
        """The same in another process."""
        return replace(self, host=made(self.kind, self.host.space, self.host.state, self.options))

    def container(self, space: Space, letter: str) -> Container:
        """Who asks the engine for a pid finds it."""
        self.known[letter * 64] = space.pid
        path = self.host.state.parent / "weave" / "containers.json"
        if path.parent.exists():
            path.write_text(json.dumps(self.known))
        return Container(letter * 64, space.pid)

    def left(self, *spaces: Space) -> object:
        """All that is there: in these namespaces, on the host, in all books."""
        inside = [(names(space), addresses(space) if names(space) else []) for space in spaces]
        listed = dict(self.host.run(self.host.backend.list))
        return inside, sorted(set(self.host.links()) - SHARED), self.books(), listed


def made(kind: str, space: Space, state: Path, options: Options) -> Host:
    backend = make_backend(kind, subnet=SUBNET, state=state, engine=ENGINE, options=options)
    return Host(space, state, backend)


def rig(name: str, space: Space, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """One of KINDS or CHAINS."""
    if name == "bridge":
        return bridge(space, folder)
    if name == "weave":
        return weave(space, folder, monkeypatch)
    if name == "cni":
        return cni(space, folder, conflist(bridge_plugin(folder), {"type": "tuning"}))
    return chained(space, folder, name)


def bridge(space: Space, folder: Path) -> Rig:
    def reserved() -> object:
        return sorted(ALTNAME.findall(space.ip("link")))

    def inject(monkeypatch: pytest.MonkeyPatch, rig: Rig, number: int) -> Faults:
        return test_bridge_faults.inject(monkeypatch, rig.host, number)

    host = made("bridge", space, folder / "state", Options())
    return Rig("bridge", host, Options(), reserved, inject)


def weave(space: Space, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    there = folder / "weave"
    program = fake_weave.install(there, ENGINE, {}) / "weave"
    monkeypatch.setenv(fake_weave.FOLDER, str(there))
    options = Options(weave=str(program))
    host = made("weave", space, folder / "state", options)
    return Rig("weave", host, options, lambda: fake_weave.claims(there), inject_commands)


def cni(space: Space, folder: Path, network: dict[str, object]) -> Rig:
    config = folder / "net.conflist"
    config.write_text(json.dumps(network))
    options = Options(cni_config=config, cni_path=DEBIANS_PLUGINS)

    def reserved() -> object:
        return sorted(path.name for path in folder.glob("host-local/wfw/10.*"))

    host = made("cni", space, folder / "state", options)
    return Rig("cni", host, options, reserved, inject_commands, exposes=False)


def chained(space: Space, folder: Path, name: str) -> Rig:
    """The backend cni with another of CHAINS."""
    if name == "macvlan-tuning":
        space.ip("link add up0 type veth peer name up1", "link set up0 up", "link set up1 up")
    return cni(space, folder, CHAINS[name](folder))


CHAINS: dict[str, Callable[[Path], dict[str, object]]] = {
    "bridge-static-tuning": lambda folder: conflist(
        bridge_plugin(folder, ipam={"type": "static"}),
        {"type": "tuning", "sysctl": {"net.core.somaxconn": "500"}},
        version="0.4.0",
    ),
    "ptp": lambda folder: conflist(bridge_plugin(folder, type="ptp")),
    "macvlan-tuning": lambda folder: conflist(
        bridge_plugin(folder, type="macvlan", master="up0"),
        {"type": "tuning", "mac": "0a:00:00:00:00:05"},
        version="0.4.0",
    ),
}


def conflist(*plugins: dict[str, object], version: str = "1.0.0") -> dict[str, object]:
    return {"cniVersion": version, "name": "wfw", "plugins": list(plugins)}


def bridge_plugin(folder: Path, **more: object) -> dict[str, object]:
    """With Debian's host-local, whose books are in `folder`."""
    return {
        "type": "bridge",
        "bridge": "cni0",
        "capabilities": {"ips": True},
        "ipam": {
            "type": "host-local",
            "dataDir": str(folder / "host-local"),
            "ranges": [[{"subnet": "10.2.1.0/24"}]],
        },
        **more,
    }


def inject_commands(monkeypatch: pytest.MonkeyPatch, _rig: Rig, number: int) -> Faults:
    """Before and after each program that is run, at each entering of a namespace, each request to
    the kernel of our own, each reading and each writing."""
    faults = Faults(number)
    no_answer = AttachError("injected: no answer")
    full = OSError(errno.ENOSPC, "injected")
    wrap = faults.wrap
    monkeypatch.setattr(command, "run", wrap("run", command.run, no_answer, after=True))
    monkeypatch.setattr(netns, "enter", wrap("enter", netns.enter, full))
    monkeypatch.setattr(Records, "write", wrap("write", Records.write, full, after=True))
    monkeypatch.setattr(Records, "read", wrap("read", Records.read, full))
    for module in (check, weave_backend):
        monkeypatch.setattr(module, "IPRoute", lambda: Faulty(faults))
    return faults
