"""Each fact that is wrong changes one line, which says what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.doctor.facts_of import (
    CLIENT,
    ENGINE,
    FACTS,
    HOST,
    ID,
    LAUNCH,
    LISTEN,
    NOTHING_LAUNCHED,
    OWNER,
    SETTINGS,
    SOCKET,
    URL,
    of_host,
    of_launch,
)
from waitforweave.attach.links import Mark
from waitforweave.docker.reason import NEEDS_TLS
from waitforweave.doctor.check import Check
from waitforweave.doctor.checks import checks
from waitforweave.doctor.facts import (
    NEEDS_ROOT,
    Answer,
    Bridge,
    Client,
    Disk,
    Facts,
    Firewall,
    Launch,
    Server,
    Unseen,
    Volume,
)
from waitforweave.launch.on_host import Folders

OTHER = "unix:///other.sock"
EMPTY = NOTHING_LAUNCHED.engine


def of(facts: Facts, name: str) -> Check:
    """The one line of this name."""
    (check,) = [check for check in checks(facts) if check.name == name]
    return check


def test_a_healthy_launch_is_ok_throughout():
    found = [(check.name, check.state) for check in checks(FACTS)]
    assert found == [
        (name, "ok")
        for name in (
            *("engine", "socket", "launch", "volume", "hooks", "proxy", "versions", "client"),
            *("clock", "bridge", "firewall", "forwarding", "kernel", "subnet", "rights", "disk"),
            "leftovers",
        )
    ]
    assert not [check for check in checks(FACTS) if check.todo]


def test_where_nothing_is_launched_that_is_the_only_problem():
    found = checks(NOTHING_LAUNCHED)
    assert [check.name for check in found if check.state != "ok"] == ["launch"]
    assert of(NOTHING_LAUNCHED, "launch") == Check(
        "launch", "problem", f"nothing is launched for {URL}", "weavewait launch"
    )
    assert of(NOTHING_LAUNCHED, "client").said == (
        f"the docker client's default names {URL}, where no proxy of ours is"
    )


def test_without_an_engine_only_what_is_on_this_host_is_looked_at():
    gone = Facts("0.1", replace(ENGINE, fault="no answer"), Launch(), CLIENT)
    assert [(check.name, check.state) for check in checks(gone)] == [
        ("engine", "problem"),
        ("launch", "not seen"),
        ("client", "ok"),
    ]


TCP = "tcp://far:2376"
SPEAKS_NO_TLS = "TLS: wrong version number"
CERTIFICATES = (
    "name the folder of ca.pem, cert.pem and key.pem: DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=DIR; "
    "for --engine also --engine-tlsverify --engine-cert-path=DIR"
)


def of_engine(fault: str) -> Facts:
    return replace(FACTS, engine=replace(ENGINE, fault=fault), socket=None)


def of_client(url: str, fault: str) -> Facts:
    return replace(FACTS, client=Client("DOCKER_HOST", url, fault=fault))


SAID = {
    "the engine is gone": (
        *(replace(FACTS, engine=replace(ENGINE, fault="no answer from X")), "engine"),
        *("no answer from X", "start it (systemctl start docker), or name another by --engine"),
    ),
    "the engine may not be asked": (
        replace(
            FACTS,
            engine=replace(ENGINE, fault="Permission denied"),
            socket=replace(SOCKET, usable=False),
        ),
        *("engine", "Permission denied", "see the next line"),
    ),
    "the proxy's folder may not be entered": (
        replace(FACTS, proxies=(Client("--listen", LISTEN, Unseen(""), "Permission denied"),)),
        *("proxy", f"this user may not reach {LISTEN}: Permission denied"),
        "stop, and launch with --listen in a folder that it may enter; or become root",
    ),
    "no socket": (
        *(replace(FACTS, socket=replace(SOCKET, kind="absent")), "socket"),
        *("/var/run/docker.sock is not there", "start the engine, or name its socket by --engine"),
    ),
    "a file where the socket should be": (
        *(replace(FACTS, socket=replace(SOCKET, kind="other")), "socket"),
        "/var/run/docker.sock is no socket (root:docker, mode 0660)",
        "name the engine's socket by --engine; or remove it, and start the engine",
    ),
    "the engine speaks TLS": (
        *(of_engine(f"{TCP} answers, but not as a Docker Engine: {NEEDS_TLS}."), "engine"),
        f"{TCP} answers, but not as a Docker Engine: {NEEDS_TLS}.",
        CERTIFICATES,
    ),
    "the engine is of another authority": (
        *(of_engine("no answer: TLS: certificate verify failed: self-signed"), "engine"),
        "no answer: TLS: certificate verify failed: self-signed",
        "ca.pem must be of the authority of who listens there, cert.pem and key.pem of one that it "
        "believes; docs/errors.md, under TLS, has each reason",
    ),
    "the client's proxy speaks TLS": (
        *(of_client(TCP, f"TLS: {NEEDS_TLS}"), "client"),
        f"DOCKER_HOST names {TCP}; TLS: {NEEDS_TLS}",
        CERTIFICATES,
    ),
    "the client's proxy speaks no TLS": (
        *(of_client(TCP, SPEAKS_NO_TLS), "client"),
        f"DOCKER_HOST names {TCP}; {SPEAKS_NO_TLS}",
        "who listens there speaks without TLS: unset DOCKER_TLS_VERIFY DOCKER_TLS",
    ),
    "the client's context has no certificates": (
        replace(FACTS, client=Client("the docker context far", TCP, fault=f"TLS: {NEEDS_TLS}")),
        *("client", f"the docker context far names {TCP}; TLS: {NEEDS_TLS}"),
        f"docker context update far --docker host={TCP},ca=ca.pem,cert=cert.pem,key=key.pem",
    ),
    "the client's context has certificates in vain": (
        replace(FACTS, client=Client("the docker context far", TCP, fault=SPEAKS_NO_TLS)),
        *("client", f"the docker context far names {TCP}; {SPEAKS_NO_TLS}"),
        f"docker context update far --docker host={TCP}",
    ),
    "nothing is launched where TLS is spoken": (
        replace(NOTHING_LAUNCHED, engine=replace(ENGINE, tls=True)),
        *("launch", f"nothing is launched for {URL}"),
        "weavewait launch, on the engine's own host",
    ),
    "the client's socket is not for this user": (
        *(of_client(LISTEN, "Permission denied"), "client"),
        f"DOCKER_HOST names {LISTEN}, which this user may not reach: Permission denied",
        "become a member of its group (ls -l), or root",
    ),
    "nothing is launched on another host": (
        replace(NOTHING_LAUNCHED, host=Unseen("elsewhere")),
        *("launch", f"nothing is launched for {URL}"),
        "weavewait launch, on the engine's own host",
    ),
    "a socket that is not mine": (
        *(replace(FACTS, socket=replace(SOCKET, usable=False)), "socket"),
        "me may not use /var/run/docker.sock (root:docker, mode 0660)",
        "usermod -aG docker me and log in again, or become root",
    ),
    "a socket of root's group": (
        *(replace(FACTS, socket=replace(SOCKET, usable=False, group="root")), "socket"),
        "me may not use /var/run/docker.sock (root:root, mode 0660)",
        "become root",
    ),
    "a socket for everybody": (
        *(replace(FACTS, socket=replace(SOCKET, mode=0o666)), "socket"),
        "everybody on this host may use /var/run/docker.sock (root:docker, mode 0666), and so "
        "become root",
        "chmod o-rwx /var/run/docker.sock",
    ),
    "a part has ended": (
        replace(FACTS, launch=Launch(SETTINGS, False, (("weavewait-hooks", False),))),
        *("launch", "not running: weavewait-hooks"),
        f"read docker -H {URL} logs weavewait-hooks; "
        "weavewait launch with the same options brings it back",
    ),
    "the other part has ended": (
        replace(FACTS, launch=Launch(SETTINGS, True, (("hooks", True), ("proxy", False)))),
        *("launch", "not running: proxy"),
        f"read {Folders.of(URL).run}/proxy.log; "
        "weavewait launch with the same options brings it back",
    ),
    "the launch cannot be told": (
        *(replace(FACTS, launch=Launch(fault="a container is not ours")), "launch"),
        *("a container is not ours", "do what that says, then weavewait launch"),
    ),
    "the volume container was pruned": (
        *(replace(FACTS, volume=Volume(False)), "volume"),
        "the volume container weavewait is not there",
        "weavewait launch makes it again, and so does the next gated create",
    ),
    "the gate does not run": (
        *(replace(FACTS, volume=Volume(True, fault="exec format error")), "volume"),
        "the gate in weavewait does not run: exec format error",
        f"docker -H {URL} rm -v weavewait, make image, and launch again",
    ),
    "the hook server does not answer": (
        *(replace(FACTS, server=None, server_fault="no answer"), "hooks", "no answer"),
        f"read docker -H {URL} logs weavewait-hooks; docker -H {URL} restart weavewait-hooks",
    ),
    "the hook server follows no events": (
        *(replace(FACTS, server=Server("0.1", False)), "hooks"),
        "it answers, but does not follow the engine's events: restarts are not attached",
        f"it tries again by itself; read docker -H {URL} logs weavewait-hooks",
    ),
    "containers could not be attached": (
        *(replace(FACTS, server=Server("0.1", True, ("a", "b"))), "attached"),
        *("could not be attached: a, b", "weavewait explain a"),
    ),
    "the proxy's socket is dead": (
        replace(FACTS, proxies=(Client("--listen", LISTEN, Unseen(""), "refused"),)),
        *("proxy", f"{LISTEN} does not answer: refused"),
        f"docker -H {URL} restart weavewait-proxy",
    ),
    "the proxy has ended": (
        replace(
            FACTS,
            launch=Launch(SETTINGS, False, (("weavewait-proxy", False),)),
            proxies=(Client("--listen", LISTEN, Unseen(""), "refused"),),
        ),
        *("proxy", f"{LISTEN} does not answer: refused"),
        "weavewait launch with the same options brings it back",
    ),
    "another listens there": (
        replace(FACTS, proxies=(Client("--listen", LISTEN, Answer()),)),
        *("proxy", f"who answers at {LISTEN} is not our proxy"),
        f"see who listens there; docker -H {URL} restart weavewait-proxy",
    ),
    "versions differ": (
        *(replace(FACTS, volume=Volume(True, "0.2"), server=Server("", True)), "versions"),
        "this tool is 0.1, the gate is 0.2, the hook server is an older one, the proxy is 0.1",
        "make image; weavewait launch --replace, with the options of before: gated "
        "containers keep gate and network",
    ),
    "a client past the proxy": (
        replace(FACTS, client=Client("the docker context far", URL)),
        "client",
        f"the docker context far names {URL}, past our proxy: what this shell creates is not gated",
        f"export DOCKER_HOST={LISTEN}",
    ),
    "a client at another launch": (
        *(replace(FACTS, client=Client("DOCKER_HOST", LISTEN, Answer("0.1", OTHER))), "client"),
        f"DOCKER_HOST names {LISTEN}, which is our proxy, but for {OTHER}",
        f"docker -H {URL} restart weavewait-proxy; or --engine {OTHER}",
    ),
    "a client at nobody's": (
        replace(FACTS, client=Client("DOCKER_HOST", OTHER, fault="no such file")),
        *("client", f"DOCKER_HOST names {OTHER}, where nobody answers: no such file"),
        f"export DOCKER_HOST={LISTEN}",
    ),
    "a client at our proxy that has ended": (
        replace(FACTS, client=Client("DOCKER_HOST", LISTEN, fault="no such file")),
        *("client", f"DOCKER_HOST names {LISTEN}, where nobody answers: no such file"),
        f"docker -H {URL} restart weavewait-proxy",
    ),
    "a client at a launch that has gone": (
        replace(NOTHING_LAUNCHED, client=Client("DOCKER_HOST", LISTEN, fault="no such file")),
        *("client", f"DOCKER_HOST names {LISTEN}, where nobody answers: no such file"),
        "unset DOCKER_HOST, or weavewait launch",
    ),
    "a context that is not there": (
        replace(NOTHING_LAUNCHED, client=Client("the docker context far", "", fault="no address")),
        "client",
        "the docker context far names nothing that is there, where nobody answers: no address",
        "start the engine there, or choose another (docker context use)",
    ),
    "a clock ahead": (
        *(replace(FACTS, engine=replace(ENGINE, clock=7.25)), "clock"),
        "the engine's is 7.2 s ahead of ours",
        "set both by NTP (timedatectl set-ntp true)",
    ),
    "a clock behind": (
        *(replace(FACTS, engine=replace(ENGINE, clock=-7.25)), "clock"),
        "the engine's is 7.2 s behind ours",
        "set both by NTP (timedatectl set-ntp true)",
    ),
    "no bridge": (
        *(of_host(bridge=Bridge("absent")), "bridge"),
        "the bridge weave is not there: attached containers reach nobody",
        f"docker -H {URL} restart weavewait-hooks; the next attach makes it again, too",
    ),
    "another's bridge": (
        *(of_host(bridge=Bridge("foreign")), "bridge"),
        "an interface weave is there that is not ours (Weave Net's, perhaps)",
        "stop, and launch with --backend weave; or remove it",
    ),
    "a bridge that is down": (
        *(of_host(bridge=Bridge("ours", False, 2)), "bridge"),
        *("the bridge weave is down", "ip link set weave up"),
    ),
    "our rule is gone": (
        *(of_host(firewalls=(Firewall("IPv4", "DROP", False, True),)), "firewall"),
        "IPv4: our rule is not in FORWARD (policy DROP, which sees what a bridge forwards)",
        "iptables -I FORWARD -i weave -o weave -j ACCEPT; "
        f"docker -H {URL} restart weavewait-hooks does it",
    ),
    "our rule is gone, where no bridge asks": (
        *(of_host(firewalls=(Firewall("IPv6", "ACCEPT", False, False),)), "firewall"),
        "IPv6: our rule is not in FORWARD (policy ACCEPT, which no bridge asks now)",
        "ip6tables -I FORWARD -i weave -o weave -j ACCEPT; "
        f"docker -H {URL} restart weavewait-hooks does it",
    ),
    "another table drops": (
        *(of_host(drops=(("inet", "fw", "forward"),)), "firewall"),
        "the nftables chain inet fw forward drops what is forwarded",
        "nft insert rule inet fw forward iifname weave oifname weave accept",
    ),
    "the legacy table lacks our rule": (
        *(of_host(legacy=(("iptables-legacy", False),)), "firewall"),
        "our rule is not in the legacy table (iptables-legacy)",
        "iptables-legacy -I FORWARD -i weave -o weave -j ACCEPT",
    ),
    "no forwarding": (
        *(of_host(forward=False), "forwarding"),
        "net.ipv4.ip_forward is 0: containers reach each other by ethwe, but nobody else",
        "sysctl -w net.ipv4.ip_forward=1",
    ),
    "a kernel without veth": (
        *(of_host(lacking=("veth (Operation not supported)",)), "kernel"),
        "this kernel cannot make: veth (Operation not supported)",
        "modprobe it, or take a kernel that has it",
    ),
    "the subnet is somebody's": (
        *(of_host(routes=(("10.40.0.0/16", "eth0"), ("10.0.0.0/8", "tun0"))), "subnet"),
        "10.32.0.0/12, where addresses come from, overlaps the host's 10.40.0.0/16 of eth0, "
        "10.0.0.0/8 of tun0",
        "stop, and launch with another --subnet",
    ),
    "the other network is not ready": (
        replace(of_launch(backend="weave"), backend_fault="weave status: not running"),
        *("backend", "weave status: not running"),
        "see docs/backends.md; it must be ready before anything is attached",
    ),
    "the hook server lacks rights": (
        *(replace(FACTS, capabilities=frozenset({"NET_ADMIN"})), "rights"),
        "the hook server lacks SYS_ADMIN, SYS_PTRACE",
        "no userns-remap, no rootless engine; or stop, and launch with --host-process",
    ),
    "a disk that is full": (
        *(replace(FACTS, disk=Disk("/s", 2**20, 1000, True)), "disk"),
        *("/s: 1 MiB free: no address can be given when it is full", "make room there"),
    ),
    "a disk without inodes": (
        *(replace(FACTS, disk=Disk("/s", 2**30, 3, True)), "disk"),
        "/s: 1024 MiB free, 3 inodes: no address can be given when it is full",
        "make room there",
    ),
    "a disk that is read-only": (
        *(replace(FACTS, disk=Disk("/s", 2**30, 1000, False)), "disk"),
        *("/s is read-only: no address can be given", "mount it read-write"),
    ),
    "a link of nobody's": (
        *(of_host(marked=(("weave", Mark()), ("vethwl2", Mark("d" * 64, OWNER)))), "leftovers"),
        f"the link vethwl2 is of {'d' * 12}, which is no container any more",
        f"docker -H {URL} restart weavewait-hooks",
    ),
    "half a bridge": (
        *(of_host(marked=(("weave", Mark()), ("weavewait1a2b3c", Mark()))), "leftovers"),
        *("the link weavewait1a2b3c is half a bridge", "ip link del weavewait1a2b3c"),
    ),
    "a bridge without a launch": (
        replace(NOTHING_LAUNCHED, host=replace(HOST, marked=(("weave", Mark()),))),
        "leftovers",
        "the bridge weave is there, and nothing is launched (fine, if you attach by hand)",
        "weavewait detach --all",
    ),
    "a clean-up that was killed": (
        replace(FACTS, engine=replace(ENGINE, containers={ID: "weavewait-hooks-clean-up"})),
        *("leftovers", "the container weavewait-hooks-clean-up is there"),
        f"docker -H {URL} rm -f -v weavewait-hooks-clean-up",
    ),
    "a volume without a launch": (
        replace(
            NOTHING_LAUNCHED, engine=replace(ENGINE, containers={}, volumes=("weavewait-run",))
        ),
        *("leftovers", "the volume weavewait-run is there, and nothing is launched"),
        "weavewait stop",
    ),
    "a volume container without a launch": (
        replace(NOTHING_LAUNCHED, engine=replace(EMPTY, containers={ID: "weavewait"})),
        *("leftovers", "the container weavewait is there, and nothing is launched"),
        "weavewait stop, unless your own proxy needs it",
    ),
    "a folder without a launch": (
        replace(NOTHING_LAUNCHED, folders=("/run/weavewait/1",)),
        *("leftovers", "the folder /run/weavewait/1 is there, and nothing is launched"),
        "rm -r /run/weavewait/1",
    ),
}


@pytest.mark.parametrize(("facts", "name", "said", "todo"), SAID.values(), ids=list(SAID))
def test_each_problem_says_what_was_found_and_what_to_do(facts, name, said, todo):
    assert of(facts, name) == Check(name, "problem", said, todo)


UNSEEN = {
    "hooks": replace(FACTS, server=NEEDS_ROOT),
    "client": replace(FACTS, client=Client("DOCKER_HOST", "ssh://far", Unseen("needs root"))),
    "network": replace(FACTS, host=NEEDS_ROOT),
    "firewall": of_host(firewalls=NEEDS_ROOT, drops=NEEDS_ROOT, legacy=NEEDS_ROOT),
    "kernel": of_host(lacking=NEEDS_ROOT),
    "backend": replace(of_launch(backend="cni"), backend_fault=NEEDS_ROOT),
    "rights": replace(FACTS, capabilities=NEEDS_ROOT),
    "disk": replace(FACTS, disk=NEEDS_ROOT),
}


@pytest.mark.parametrize("name", UNSEEN)
def test_what_cannot_be_seen_is_neither_ok_nor_a_problem(name):
    check = of(UNSEEN[name], name)
    assert check.state == "not seen"
    assert check.said.endswith("needs root")
    assert not check.todo


def test_whether_firewalld_lets_us_through_is_firewallds_to_say():
    check = of(of_host(drops=(("inet", "firewalld", "filter_FORWARD"),)), "firewall")
    assert (check.state, check.said) == (
        "not seen",
        "the nftables chain inet firewalld filter_FORWARD drops what is forwarded, but for what "
        "firewalld trusts; type: firewall-cmd --zone=trusted --query-interface=weave",
    )


def test_legacy_tables_that_cannot_be_looked_into():
    check = of(of_host(legacy=(("iptables-legacy", None),)), "firewall")
    assert (check.state, check.said) == (
        "not seen",
        "legacy iptables are in use, and iptables-legacy is not here to look into them",
    )


OK = {
    "engine": f"Docker Engine 20.10.24, API 1.41, at {URL}",
    "socket": "/var/run/docker.sock is root:docker, mode 0660; me may use it",
    "launch": "weavewait-hooks and weavewait-proxy run, as containers",
    "volume": "weavewait is there, and the gate in it runs (0.1)",
    "hooks": "the hook server answers, and follows the engine's events",
    "proxy": f"{LISTEN} is our proxy",
    "versions": "0.1: this tool, the gate, the hook server, the proxy",
    "client": f"DOCKER_HOST names {LISTEN}, which is our proxy",
    "clock": "the engine's and ours differ by less than 2 s",
    "bridge": "weave is up, with 2 ports",
    "firewall": "IPv4: our rule is in FORWARD (policy DROP) and IPv6: no chain FORWARD",
    "forwarding": "net.ipv4.ip_forward is 1",
    "kernel": "netlink, network namespaces, veth, bridge, IPv6",
    "subnet": "10.32.0.0/12 overlaps no route of this host",
    "rights": "the hook server has NET_ADMIN, SYS_ADMIN, SYS_PTRACE",
    "disk": "/var/lib/weavewait: 1024 MiB free",
    "leftovers": "none of a crash",
}


@pytest.mark.parametrize("name", OK)
def test_what_is_ok_says_what_was_seen(name):
    assert of(FACTS, name).said == OK[name]


def test_a_kernel_without_ipv6_is_no_problem():
    assert of(of_host(ipv6=False), "kernel") == Check(
        "kernel",
        "ok",
        "netlink, network namespaces, veth, bridge, no IPv6 (WEAVE_CIDR can name IPv4 only)",
    )


@pytest.mark.parametrize("owner", ["f" * 16, ""])
def test_a_link_of_other_books_is_nobodys_business(owner):
    """Another engine's on the same bridge; an older version did not say whose books'."""
    marked = (("weave", Mark()), ("vethwl2", Mark("d" * 64, owner)))
    assert of(of_host(marked=marked), "leftovers").state == "ok"
    facts = replace(NOTHING_LAUNCHED, host=replace(HOST, marked=marked), owner="")
    assert of(facts, "leftovers").state == "ok"


def test_another_network_has_no_bridge_of_ours():
    names = [check.name for check in checks(of_launch(backend="weave"))]
    assert "backend" in names
    assert not {"bridge", "firewall"} & set(names)


def test_a_socket_of_two_names_is_one_engine(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "var").symlink_to(tmp_path / "run")
    two = Answer("0.1", f"unix://{tmp_path}/var/d.sock")
    facts = replace(
        FACTS,
        engine=replace(ENGINE, url=f"unix://{tmp_path}/run/d.sock"),
        client=Client("DOCKER_HOST", LISTEN, two),
    )
    assert of(facts, "client").state == "ok"


def test_for_another_engine_the_commands_name_it():
    facts = replace(FACTS, engine=replace(ENGINE, url=OTHER), volume=Volume(False))
    assert of(facts, "volume").todo.startswith(f"weavewait launch --engine {OTHER} makes")
    attached = replace(facts, server=Server("0.1", True, ("a",)))
    assert of(attached, "attached").todo == f"weavewait explain a --engine {OTHER}"


def test_processes_of_the_host_are_begun_anew_and_read_otherwise():
    launch = replace(LAUNCH, host_process=True)
    facts = replace(of_host(bridge=Bridge("absent")), launch=launch, server_fault="no answer")
    assert of(facts, "bridge").todo.startswith("weavewait stop, then weavewait launch with the")
    (fault,) = [check for check in checks(facts) if check.said == "no answer"]
    assert "/hooks.log; weavewait stop, then weavewait launch with the same" in fault.todo
    assert of(facts, "launch").said.endswith("run, as processes of this host")


def test_engines_on_tcp_whose_hosts_differ_in_a_digit_are_two():
    """A socket may have two names, an address has one."""
    asked = replace(FACTS, engine=replace(ENGINE, url="tcp://1.0.0.1:2375"))
    other = Client("DOCKER_HOST", LISTEN, Answer("0.1", "tcp://8.0.0.1:2375"))
    assert of(replace(asked, client=other), "client").state == "problem"
