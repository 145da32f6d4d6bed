"""The facts of a healthy launch; a test changes what it is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from waitforweave.attach.links import Mark
from waitforweave.doctor.facts import (
    Answer,
    Bridge,
    Client,
    Disk,
    Engine,
    Facts,
    Firewall,
    Host,
    Launch,
    Server,
    Socket,
    Volume,
)
from waitforweave.launch.settings import Settings

URL = "unix:///var/run/docker.sock"
LISTEN = "unix:///run/weavewait/docker.sock"
ID = "c" * 64
OWNER = "0123456789abcdef"
SETTINGS = Settings(URL, (LISTEN,), "bridge", "10.32.0.0/12", "weavewait:latest")
PARTS = (("weavewait-hooks", True), ("weavewait-proxy", True))
LAUNCH = Launch(SETTINGS, False, PARTS)
ENGINE = Engine(URL, "", "20.10.24", "1.41", 0.1, {ID: "one"}, ("weavewait-state",))
SOCKET = Socket("/var/run/docker.sock", "socket", "root", "docker", 0o660, True, "me")
PROXY = Answer("0.1", URL)
CLIENT = Client("DOCKER_HOST", LISTEN, PROXY)
FIREWALLS = (Firewall("IPv4", "DROP", True, True), Firewall("IPv6", "", False, False))
HOST = Host(
    bridge=Bridge("ours", True, 2),
    forward=True,
    firewalls=FIREWALLS,
    drops=(),
    legacy=(),
    lacking=(),
    ipv6=True,
    routes=(("172.17.0.0/16", "docker0"), ("fe80::/64", "docker0")),
    marked=(("weave", Mark()), ("vethwl1", Mark(ID, OWNER))),
)
FACTS = Facts(
    "0.1",
    ENGINE,
    LAUNCH,
    CLIENT,
    socket=SOCKET,
    volume=Volume(True, "0.1"),
    server=Server("0.1", True),
    proxies=(Client("--listen", LISTEN, PROXY),),
    host=HOST,
    capabilities=frozenset({"NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE"}),
    disk=Disk("/var/lib/weavewait", 2**30, 1000, True),
    owner=OWNER,
)
NOTHING_LAUNCHED = Facts(
    "0.1",
    replace(ENGINE, containers={}, volumes=()),
    Launch(),
    Client("the docker client's default", URL),
    socket=SOCKET,
    volume=Volume(False),
    host=replace(HOST, marked=(), bridge=Bridge("absent")),
)


def of_host(**changes: Any) -> Facts:
    return replace(FACTS, host=replace(HOST, **changes))


def of_launch(**changes: Any) -> Facts:
    """The launch with other settings."""
    return replace(FACTS, launch=Launch(replace(SETTINGS, **changes), False, PARTS))
