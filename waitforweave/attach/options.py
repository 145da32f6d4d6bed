"""What an operator may say about the network. Imports nothing: every command reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

BACKENDS = ("bridge", "weave", "cni")
ENGINE = "unix:///var/run/docker.sock"


@dataclass(frozen=True)
class Options:
    """What one kind of network or another wants to know; each reads its own."""

    mtu: int | None = None
    multicast_route: bool = True
    # A name on PATH, or a path.
    weave: str = "weave"
    # A network's configuration, or a folder of such.
    cni_config: Path = Path("/etc/cni/net.d")
    # Folders, with ":" between. The first is everybody's, the second Debian's.
    cni_path: str = "/opt/cni/bin:/usr/lib/cni"


@dataclass(frozen=True)
class Place:
    """What all kinds want to know: `subnet` is that of words that name none, the folder `state`
    remembers what was given to whom, `engine` is the URL of whose containers these are."""

    subnet: str
    state: Path
    engine: str = ENGINE
