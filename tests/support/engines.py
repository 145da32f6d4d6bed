"""Which engine the tests use: this machine's, or one of another Debian suite's.

WFW_TEST_ENGINE names the engine (default: local); WFW_TEST_CLIENT the engine whose docker client
is used (default: its own). An engine of a suite has for its root a folder that debootstrap made
(tests/engines/roots.py). Its client runs as it lies there: it wants nothing but a libc.
docs/engines.md.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Kind:
    """An engine: the suite that has it (None: this machine has), and what it is started with."""

    suite: str | None
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: Sequence[str] = ()
    podman: bool = False

    @property
    def cgroup(self) -> str | None:
        """The parent of its containers' cgroups that it insists on; it leaves it behind."""
        return "libpod_parent" if self.podman else None

    @property
    def ready_mark(self) -> bytes:
        """What it says on stderr when it listens."""
        return b"API service listening on" if self.podman else b"API listen on"

    def words(self, folder: Path, url: str, more: Sequence[str]) -> list[str]:
        """The command that serves `url` and keeps its things in `folder`."""
        if self.podman:
            # runc: crun refuses a machine that has cgroups of both versions.
            options = [f"--root={folder}/data", "--runroot=/run/podman", "--runtime=runc"]
            options += ["--network-config-dir=/run/podman/networks"]
            # It would give each container's process to the socket, too.
            quiet = ["env", "-u", "NOTIFY_SOCKET"]
            serve = ["system", "service", "--time=0", url]
            return [*quiet, "podman", "--log-level=info", *options, *serve]
        return [
            "dockerd",
            f"--data-root={folder}/data",
            # Not below the folder: containerd's own sockets have longer names than ours.
            "--exec-root=/run/docker",
            f"--pidfile={folder}/pid",
            f"--host={url}",
            f"--cgroup-parent=/{folder.name}",
            *self.arguments,
            *more,
            "--host=unix:///var/run/docker.sock",
        ]

    def in_root(self, command: Sequence[str]) -> list[str]:
        """The words that run a command with the suite's folder for its root, in a mount namespace
        of its own; the command itself for this machine's."""
        if self.suite is None:
            return list(command)
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        script = enter_root(root_of(self.suite), tempfile.gettempdir())
        return ["unshare", "--mount", "sh", "-ec", script, "sh", "env", *variables, *command]


def enter_root(root: Path, temporary: str) -> str:
    """Shell that changes the root of its mount namespace, and runs its arguments there.

    No chroot: `docker exec` enters a container's mount namespace, whose root would be this
    machine's. The temporary folder holds the sockets and what tests mount.
    """
    top, shared = shlex.quote(str(root)), shlex.quote(temporary)
    lines = [f"mount --bind {top} {top}", f"mkdir -p {top}{shared}"]
    lines += [f"mount --rbind {place} {top}{place}" for place in ("/proc", "/sys", "/dev", "/run")]
    lines += [f"mount --bind {shared} {top}{shared}"]
    lines += [f"cd {top}", "pivot_root . .", "umount -l .", "cd /", 'exec "$@"']
    return "\n".join(lines)


LOCAL = Kind(None)
KINDS = {
    "local": LOCAL,
    "bookworm": Kind("bookworm"),
    "trixie": Kind("trixie"),
    "testing": Kind("testing"),
    # Refuses old clients, as Docker 29 does by itself.
    "testing-min-1.44": Kind("testing", {"DOCKER_MIN_API_VERSION": "1.44"}),
    # Images in containerd's store, as Docker 29 keeps them by itself.
    "testing-containerd": Kind("testing", arguments=["--feature=containerd-snapshotter=true"]),
    "podman": Kind("testing", podman=True),
}


def root_of(suite: str) -> Path:
    """The folder with this suite's engine; WFW_ENGINES names another parent than .cache/engines."""
    parent = os.environ.get("WFW_ENGINES") or str(REPOSITORY / ".cache/engines")
    return Path(parent).resolve() / suite


def named(name: str) -> Kind:
    """The engine of this name. KeyError says which there are."""
    if name not in KINDS:
        raise KeyError(f"no engine {name!r}; there are: {', '.join(KINDS)}")
    return KINDS[name]


def chosen() -> Kind:
    """The engine that WFW_TEST_ENGINE names."""
    return named(name_of_chosen())


def name_of_chosen() -> str:
    return os.environ.get("WFW_TEST_ENGINE") or "local"


def client_environment() -> dict[str, str]:
    """What makes `docker` the chosen suite's client, with its plugins; {} for this machine's."""
    suite = named(os.environ.get("WFW_TEST_CLIENT") or name_of_chosen()).suite
    if suite is None:
        return {}
    folder = client_of(suite)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "DOCKER_CONFIG": str(folder)}


def client_of(suite: str) -> Path:
    """A folder with `docker` alone in it, lest other programs of the suite are found too."""
    return root_of(f"{suite}-client")
