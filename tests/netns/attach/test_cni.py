"""The backend cni with Debian's own plugins: which chains work, and what is said of those that do
not."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.netns.attach.conftest import Host, addresses, container, names
from tests.netns.attach.contract.rigs import DEBIANS_PLUGINS, bridge_plugin, conflist, made
from tests.netns.gate.space import Space
from waitforweave.attach.backend import AttachError
from waitforweave.attach.cni import CniBackend
from waitforweave.attach.options import Options, Place
from waitforweave.gate.weave_cidr import parse

A = "a" * 64
IPS = {"ips": True}


class Network:
    """A host whose conflist a test writes."""

    def __init__(self, space: Space, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "net.d" / "10-wfw.conflist"
        self.config.parent.mkdir()
        self.options = Options(cni_config=self.config.parent, cni_path=DEBIANS_PLUGINS)
        self.host = made("cni", space, folder / "state", self.options)

    def write(self, *plugins: dict[str, object], version: str = "1.0.0") -> Host:
        self.config.write_text(json.dumps(conflist(*plugins, version=version)))
        return self.host

    def local(self, *subnets: str) -> dict[str, object]:
        ranges = [[{"subnet": subnet}] for subnet in subnets]
        return {"type": "host-local", "dataDir": str(self.folder / "host-local"), "ranges": ranges}

    def reserved(self) -> list[str]:
        found = (self.folder / "host-local").glob("wfw/*")
        return sorted(path.name for path in found if path.name[0].isdigit())


@pytest.fixture
def network(spaces, tmp_path) -> Network:
    return Network(spaces[0], tmp_path)


def round_trip(network: Network, space: Space, value: str) -> tuple[str, ...]:
    """Attach, check, detach: nothing is left inside, nor in host-local's books."""
    host = network.host
    given = host.attach(container(space, "a"), value)
    assert set(given) <= set(addresses(space))
    host.run(lambda: host.backend.check(container(space, "a"), parse(value)))
    host.detach(container(space, "a"))
    assert names(space) == []
    assert network.reserved() == []
    assert host.run(host.backend.list) == {}
    return given


@pytest.mark.parametrize("version", ["0.4.0", "1.0.0"])
@pytest.mark.parametrize("capabilities", [IPS, {}], ids=["ips", "CNI_ARGS"])
def test_bridge_and_host_local(network, one, version, capabilities):
    """Either way to name an address reaches it: the capability, or CNI_ARGS where there is none."""
    network.write(bridge_plugin(network.folder, capabilities=capabilities), version=version)
    assert round_trip(network, one, "10.2.1.77/24") == ("10.2.1.77/24",)
    assert round_trip(network, one, "net:10.2.1.0/24")[0].endswith("/24")


@pytest.mark.parametrize("capabilities", [IPS, {}], ids=["ips", "CNI_ARGS"])
def test_bridge_and_static_take_several_of_both_families(network, one, capabilities):
    network.write(
        {
            "type": "bridge",
            "bridge": "cni0",
            "capabilities": capabilities,
            "ipam": {"type": "static"},
        }
    )
    wanted = "10.2.1.5/24 10.3.1.5/24 fd00::5/64"
    assert round_trip(network, one, wanted) == tuple(wanted.split())


def test_host_local_gives_one_of_each_family(network, one):
    ipam = network.local("10.2.1.0/24", "fd00::/64")
    network.write({"type": "bridge", "bridge": "cni0", "capabilities": IPS, "ipam": ipam})
    assert round_trip(network, one, "10.2.1.5/24 fd00::5/64") == ("10.2.1.5/24", "fd00::5/64")


def test_ptp(network, one):
    network.write({"type": "ptp", "ipam": network.local("10.2.1.0/24"), "capabilities": IPS})
    assert round_trip(network, one, "10.2.1.5/24") == ("10.2.1.5/24",)
    assert network.host.links() == []


def test_macvlan(network, one):
    network.host.space.ip("link add up0 type veth peer name up1", "link set up0 up")
    network.host.space.ip("link set up1 up")
    ipam = network.local("10.2.1.0/24")
    network.write({"type": "macvlan", "master": "up0", "ipam": ipam, "capabilities": IPS})
    assert round_trip(network, one, "10.2.1.5/24") == ("10.2.1.5/24",)


def test_a_chain_with_tuning(network, one):
    host = network.write(
        bridge_plugin(network.folder),
        {"type": "tuning", "mac": "0a:00:00:00:00:05", "sysctl": {"net.core.somaxconn": "500"}},
    )
    host.attach(container(one, "a"), "10.2.1.5/24")
    assert "0a:00:00:00:00:05" in one.ip("link show ethwe")
    shown = subprocess.run(
        one.enter("cat", "/proc/sys/net/core/somaxconn"), capture_output=True, check=True
    )
    assert shown.stdout == b"500\n"
    host.run(lambda: host.backend.check(container(one, "a"), parse("10.2.1.5/24")))
    one.ip("link set ethwe address 0a:00:00:00:00:06")
    with pytest.raises(AttachError, match=r"CNI plugin \S+ \(CHECK\): .* 0a:00:00:00:00:06"):
        host.run(lambda: host.backend.check(container(one, "a"), parse("10.2.1.5/24")))


def test_one_plugin_alone_is_a_network_too(network, one):
    alone = {"cniVersion": "1.0.0", "name": "wfw", **bridge_plugin(network.folder)}
    (network.config.parent / "10-wfw.conf").write_text(json.dumps(alone))
    assert round_trip(network, one, "10.2.1.5/24") == ("10.2.1.5/24",)


def test_detach_uses_the_chain_that_was_added(network, one):
    host = network.write(bridge_plugin(network.folder))
    host.attach(container(one, "a"), "10.2.1.5/24")
    network.config.write_text("{}")
    later = made("cni", host.space, host.state, replace(network.options, cni_path="/nowhere"))
    assert later.detach(container(one, "a")) == ("10.2.1.5/24",)
    assert names(one) == []
    assert network.reserved() == []


def test_detach_after_the_end_of_container_and_namespace(network):
    host = network.write(bridge_plugin(network.folder))
    with Space() as ended:
        host.attach(container(ended, "a"), "10.2.1.5/24")
    assert network.reserved() == ["10.2.1.5"]
    assert host.run(lambda: host.backend.detach(A)) == ("10.2.1.5/24",)
    assert network.reserved() == []
    assert host.run(host.backend.list) == {}


def test_a_pid_that_is_another_process_now_is_not_touched(network, one, two):
    host = network.write(bridge_plugin(network.folder))
    host.attach(container(one, "a"), "10.2.1.5/24")
    path = host.state / "cni" / f"{A}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "pid": two.pid}))
    two.ip("link add ethwe type bridge")
    host.detach(container(one, "a"))
    assert names(two) == ["ethwe"]


def test_an_address_that_the_network_cannot_give_is_an_error_and_nothing_is_left(network, one):
    host = network.write(bridge_plugin(network.folder))
    with pytest.raises(AttachError, match=r"host-local|10\.9\.9\.9"):
        host.attach(container(one, "a"), "10.9.9.9/24")
    assert names(one) == []
    assert network.reserved() == []


def test_a_network_that_gives_another_prefix_than_promised(network, one):
    """The gate would wait for what never comes."""
    host = network.write(bridge_plugin(network.folder, capabilities={}))
    with pytest.raises(
        AttachError, match=r"ethwe lacks net:10\.7\.0\.0/16; it has 10\.2\.1\.\d+/24"
    ):
        host.attach(container(one, "a"), "net:10.7.0.0/16")
    assert names(one) == []
    assert network.reserved() == []


def test_further_addresses_are_refused_and_the_first_stay(network, one):
    host = network.write(bridge_plugin(network.folder))
    host.attach(container(one, "a"), "10.2.1.5/24")
    with pytest.raises(AttachError, match="a CNI chain gives all at once: detach first"):
        host.attach(container(one, "a"), "10.2.1.6/24")
    assert addresses(one) == ["10.2.1.5/24"]


def script(network: Network, name: str, text: str) -> None:
    """A plugin of the test's own, before Debian's in CNI_PATH."""
    folder = network.folder / "plugins"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n" + text)
    (folder / name).chmod(0o755)
    network.options = replace(network.options, cni_path=f"{folder}:{DEBIANS_PLUGINS}")
    network.host = made("cni", network.host.space, network.host.state, network.options)


def test_a_plugins_own_message_reaches_the_client_and_the_chain_is_deleted(network, one):
    log = network.folder / "log"
    script(
        network,
        "refuses",
        f'echo "$CNI_COMMAND $CNI_IFNAME $CNI_CONTAINERID" >> {log}\n'
        '[ "$CNI_COMMAND" = ADD ] || exit 0\n'
        'echo \'{"cniVersion": "1.0.0", "code": 100, "msg": "no", "details": "not today"}\'\n'
        "exit 1\n",
    )
    host = network.write(bridge_plugin(network.folder), {"type": "refuses"})
    with pytest.raises(AttachError) as refused:
        host.attach(container(one, "a"), "10.2.1.5/24")
    program = network.folder / "plugins" / "refuses"
    assert str(refused.value) == f"CNI plugin {program} (ADD): no not today (exit code 1)"
    assert log.read_text().splitlines() == [f"ADD ethwe {A}", f"DEL ethwe {A}"]
    assert names(one) == []
    assert network.reserved() == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo words; exit 3", r"\(ADD\): words \(exit code 3\)"),
        ("echo broken >&2; exit 3", r"\(ADD\): broken \(exit code 3\)"),
        ("exit 3", r"\(ADD\): it said nothing \(exit code 3\)"),
        ("kill -9 $$", r"\(ADD\): it said nothing \(exit code -9\)"),
        ("echo '[]'", "its answer is no JSON object"),
        ("echo nonsense", "its answer is no JSON object"),
        ("echo '{}'", "ethwe is not there"),
    ],
)
def test_a_plugin_that_keeps_to_no_rules(network, one, text, said):
    script(network, "odd", f'[ "$CNI_COMMAND" = ADD ] || exit 0\n{text}\n')
    host = network.write({"type": "odd"})
    with pytest.raises(AttachError, match=said):
        host.attach(container(one, "a"))
    assert host.run(host.backend.list) == {}


def test_a_plugin_that_hangs_is_ended_with_its_children(network, one):
    pids = network.folder / "pids"
    script(
        network,
        "hangs",
        f'[ "$CNI_COMMAND" = ADD ] || exit 0\nsleep 1000 & echo $! > {pids}\nwait\n',
    )
    host = network.write({"type": "hangs"})
    place = Place("10.32.0.0/12", host.state)
    slow = Host(host.space, host.state, CniBackend(place, network.options, seconds=1))
    with pytest.raises(AttachError, match="hangs: no answer within 1 s; ended"):
        slow.attach(container(one, "a"))
    # Ended; where nobody waits for orphans it may be a zombie.
    stat = Path(f"/proc/{int(pids.read_text())}/stat")
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_detach_that_a_plugin_refuses_is_told_and_can_be_repeated(network, one):
    refuse = network.folder / "refuse"
    script(
        network,
        "stubborn",
        f'[ "$CNI_COMMAND" != DEL ] || ! [ -e {refuse} ] || {{ echo not yet >&2; exit 1; }}\n'
        # The rest of ADD: the result that it was given.
        '[ "$CNI_COMMAND" != ADD ] || sed \'s/.*"prevResult": \\(.*\\)}$/\\1/\'\n',
    )
    host = network.write(bridge_plugin(network.folder), {"type": "stubborn"})
    host.attach(container(one, "a"), "10.2.1.5/24")
    refuse.touch()
    with pytest.raises(AttachError, match=r"stubborn \(DEL\): not yet"):
        host.detach(container(one, "a"))
    # The others had their turn all the same.
    assert network.reserved() == []
    assert list(host.run(host.backend.list)) == [A]
    refuse.unlink()
    assert host.detach(container(one, "a")) == ("10.2.1.5/24",)
    assert host.run(host.backend.list) == {}


def test_what_prepare_says(network):
    def said(**options: object) -> str:
        host = made(
            "cni", network.host.space, network.host.state, replace(network.options, **options)
        )
        with pytest.raises(AttachError) as refused:
            host.run(host.backend.prepare)
        return str(refused.value)

    folder = network.config.parent
    assert said() == f"CNI configuration {folder}: no *.conflist, *.conf or *.json in there"
    missing = network.folder / "none.conflist"
    assert said(cni_config=missing) == f"CNI configuration {missing}: No such file or directory"
    network.write({"type": "no-such"})
    expected = "there is no CNI plugin no-such in /usr/lib/cni; --cni-path names the folders"
    assert said() == expected
    network.write({"type": "bridge", "ipam": {"type": "no-such"}})
    assert said() == expected
    network.config.write_text("{")
    assert said().startswith(f"CNI configuration {network.config}: Expecting property name")
    assert not network.host.state.exists()


def test_no_plugin_gets_a_descriptor_of_ours(network, one):
    log = network.folder / "fds"
    script(network, "looks", f"ls -l /proc/self/fd | grep -c net: > {log}\nexit 1\n")
    host = network.write({"type": "looks"})
    with pytest.raises(AttachError):
        host.attach(container(one, "a"))
    assert log.read_text() == "0\n"
