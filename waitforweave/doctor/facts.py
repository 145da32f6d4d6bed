"""What a look at engine, launch, client and host has found: values, and no opinion.

`Unseen` stands wherever somebody without the right, or on another machine, could not look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from waitforweave.attach.links import Mark
from waitforweave.launch.settings import Settings


@dataclass(frozen=True)
class Unseen:
    """Nobody could look, and why."""

    why: str


NEEDS_ROOT = Unseen("needs root")


@dataclass(frozen=True)
class Engine:
    """`fault` says why it does not answer; then nothing else is known."""

    url: str
    fault: str = ""
    version: str = ""
    api: str = ""
    # Its clock less ours, in seconds.
    clock: float = 0.0
    # Names by id.
    containers: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    # Whether it was asked by TLS.
    tls: bool = False


@dataclass(frozen=True)
class Socket:
    """The file of a unix socket: whose it is, and whether we may talk to it."""

    path: str
    kind: str  # "socket", "other", "absent"
    owner: str = ""
    group: str = ""
    mode: int = 0
    usable: bool = True
    user: str = ""


@dataclass(frozen=True)
class Launch:
    """`settings` is None where nothing is launched; `fault` says why that cannot be told."""

    settings: Settings | None = None
    host_process: bool = False
    parts: tuple[tuple[str, bool], ...] = ()
    fault: str = ""


@dataclass(frozen=True)
class Volume:
    """The volume container; `gate` is the version that the gate in it says, `fault` why it does
    not."""

    there: bool
    gate: str = ""
    fault: str = ""


@dataclass(frozen=True)
class Server:
    """What the hook server says of itself; `failed` are the containers that it cannot attach."""

    version: str
    following: bool
    failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """Who answers at a client's address: our proxy, with its version and its engine; `version` is
    "" for anybody else."""

    version: str = ""
    engine: str = ""


@dataclass(frozen=True)
class Client:
    """Where this shell's docker client goes: `url` is what `source` names."""

    source: str
    url: str
    answer: Answer | Unseen = field(default_factory=Answer)
    fault: str = ""


@dataclass(frozen=True)
class Bridge:
    """Our bridge `weave`."""

    state: str  # "ours", "foreign", "absent"
    up: bool = False
    ports: int = 0


@dataclass(frozen=True)
class Firewall:
    """One family: `policy` of filter/FORWARD in nftables, "" where there is no such chain; `rule`:
    ours is in it; `called`: it sees what a bridge forwards."""

    name: str  # "IPv4", "IPv6"
    policy: str
    rule: bool
    called: bool


@dataclass(frozen=True)
class Host:
    """The host's network and kernel."""

    bridge: Bridge
    forward: bool
    firewalls: tuple[Firewall, ...] | Unseen
    # Chains of other tables that drop what the bridge forwards: family, table, name.
    drops: tuple[tuple[str, str, str], ...] | Unseen
    # Commands whose legacy table is in use, and whether our rule is in it; None: cannot be asked.
    legacy: tuple[tuple[str, bool | None], ...] | Unseen
    # What this kernel cannot make.
    lacking: tuple[str, ...] | Unseen
    ipv6: bool
    # Networks of other interfaces: ("10.0.0.0/8", "eth0").
    routes: tuple[tuple[str, str], ...]
    # Links with our mark, by name.
    marked: tuple[tuple[str, Mark], ...]


@dataclass(frozen=True)
class Disk:
    """Where the books are."""

    path: str
    free: int
    # None where the file system has no bound on them.
    inodes: int | None
    writable: bool


@dataclass(frozen=True)
class Facts:
    """All of it; None where there was nothing to look at."""

    ours: str
    engine: Engine
    launch: Launch
    client: Client
    socket: Socket | None = None
    volume: Volume | None = None
    server: Server | Unseen | None = None
    server_fault: str = ""
    proxies: tuple[Client, ...] = ()
    host: Host | Unseen | None = None
    capabilities: frozenset[str] | Unseen | None = None
    backend_fault: str | Unseen = ""
    disk: Disk | Unseen | None = None
    # What the books of this engine's containers are known by, on the links (Ipam.owner).
    owner: str = ""
    # What processes of this host had, or have, for this engine.
    folders: tuple[str, ...] = ()
