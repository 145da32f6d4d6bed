"""A stand-in for the command `weave`, which cannot be had on a test machine: the one fake.

It gives the answers of the real 2.8 (docker.md's list of what was measured), does to the
container's namespace what the real one does, and writes down each call. What it knows lies in the
folder WFW_FAKE_WEAVE: `docker_host`, the engine that it has to be told; `containers.json`, pids by
id; `down`, `reset` and `hang` where it is so; and its own `claims.json` and `calls`.

It is a program of its own (`python fake_weave.py attach ...`); `install` puts it on a PATH.
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

FOLDER = "WFW_FAKE_WEAVE"
HOST = "weave:expose"
RANGE = ipaddress.ip_network("10.32.0.0/12")
USAGE = "Usage:\n  weave attach [--no-multicast-route] [<addr> ...] <container>\n"


def install(folder: Path, engine: str, containers: Mapping[str, int]) -> Path:
    """The folder that has to stand on PATH; `folder` is what FOLDER has to name."""
    binaries = folder / "bin"
    binaries.mkdir(parents=True)
    program = binaries / "weave"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -I {Path(__file__).resolve()} "$@"\n')
    program.chmod(0o755)
    (folder / "docker_host").write_text(engine)
    (folder / "containers.json").write_text(json.dumps(dict(containers)))
    (folder / "claims.json").write_text("{}")
    return binaries


def calls(folder: Path) -> list[list[str]]:
    """The words of each call so far."""
    path = folder / "calls"
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def claims(folder: Path) -> dict[str, list[str]]:
    """What it has given to whom, and not got back."""
    found: dict[str, list[str]] = json.loads((folder / "claims.json").read_text())
    return found


def end(code: int, *lines: str) -> NoReturn:
    print(*lines, sep="\n", file=sys.stderr)
    sys.exit(code)


class Weave:
    """One call, with the folder's lock held."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pids: dict[str, int] = json.loads((folder / "containers.json").read_text())
        self.claims = claims(folder)

    def save(self) -> None:
        kept = {holder: cidrs for holder, cidrs in self.claims.items() if cidrs}
        (self.folder / "claims.json").write_text(json.dumps(kept))

    def require_router(self, words: list[str]) -> None:
        if (self.folder / "reset").exists():
            end(1, 'bridge "weave" not present; did you launch weave?')
        if (self.folder / "down").exists() and not any("/" in word for word in words):
            end(7, "weave container is not running.")

    def container(self, name: str) -> str:
        if name not in self.pids:
            end(1, f"unable to inspect container {name}: No such container: {name}")
        if not Path(f"/proc/{self.pids[name]}").exists():
            end(1, f"container {name} not running")
        return name

    def inside(self, container: str) -> list[str]:
        return ["nsenter", "--target", str(self.pids[container]), "--net", "--"]

    def claim(self, holder: str, words: list[str]) -> list[str]:
        """The CIDR of each word; claimed before anything is attached, as Weave does."""
        given = []
        for word in words or ["net:default"]:
            if word.startswith("net:"):
                cidr = self.allocate(holder, word.removeprefix("net:"))
            else:
                cidr = self.named(holder, word.removeprefix("ip:"))
            if cidr not in self.claims.setdefault(holder, []):
                self.claims[holder].append(cidr)
            self.save()
            given.append(cidr)
        return given

    def named(self, holder: str, word: str) -> str:
        if "/" not in word:
            end(1, USAGE)
        try:
            interface = ipaddress.ip_interface(word)
        except ValueError:
            end(1, *[f"invalid CIDR address: {word}"] * 2)
        for other, cidrs in self.claims.items():
            if other != holder and interface.ip in [ipaddress.ip_interface(c).ip for c in cidrs]:
                end(1, f"Unable to claim: address {word} already in use by {other}")
        return word

    def allocate(self, holder: str, subnet: str) -> str:
        network = RANGE if subnet == "default" else ipaddress.ip_network(subnet)
        if not network.subnet_of(RANGE):  # type: ignore[arg-type]
            end(1, f"range {subnet} out of bounds: {RANGE}")
        for cidr in self.claims.get(holder, []):
            if ipaddress.ip_interface(cidr).network == network:
                return cidr
        taken = {ipaddress.ip_interface(c).ip for cidrs in self.claims.values() for c in cidrs}
        free = next(host for host in network.hosts() if host not in taken)
        return f"{free}/{network.prefixlen}"

    def attach(self, words: list[str]) -> None:
        flags = [word for word in words if word.startswith("--")]
        *cidrs, name = [word for word in words if word not in flags]
        if not set(flags) <= {"--no-multicast-route"}:
            end(1, USAGE)
        self.require_router(cidrs)
        container = self.container(name)
        if namespace(self.pids[container]) == namespace(os.getpid()):
            end(
                1,
                "Container is running in the host network namespace, and therefore cannot be "
                f"connected to weave {container}",
            )
        given = self.claim(container, cidrs)
        inside = self.inside(container)
        if run([*inside, "ip", "link", "show", "ethwe"], check=False):
            self.link(container)
        for cidr in given:
            run([*inside, "ip", "addr", "replace", cidr, "dev", "ethwe"])
        run([*inside, "ip", "link", "set", "ethwe", "up"])
        if not flags:
            run([*inside, "ip", "route", "replace", "224.0.0.0/4", "dev", "ethwe"])
        show(given)

    def link(self, container: str) -> None:
        bridge()
        pid = self.pids[container]
        far = f"vethwepl{pid}"
        run(["ip", "link", "add", far, "type", "veth", "peer", "name", "ethwe", "netns", str(pid)])
        run(["ip", "link", "set", far, "master", "weave", "up"])

    def detach(self, words: list[str]) -> None:
        *cidrs, name = words
        self.require_router(["/"])
        container = self.container(name)
        taken = self.release(container, cidrs)
        inside = self.inside(container)
        self.save()
        if run([*inside, "ip", "link", "show", "ethwe"], check=False):
            end(1, "Link not found")
        for cidr in taken:
            run([*inside, "ip", "addr", "del", cidr, "dev", "ethwe"], check=False)
        if not self.claims[container]:
            run([*inside, "ip", "link", "del", "ethwe"])
        show(taken)

    def release(self, holder: str, words: list[str]) -> list[str]:
        held = self.claims.setdefault(holder, [])
        wanted = [self.allocate(holder, w[4:]) if w.startswith("net:") else w for w in words]
        taken = [cidr for cidr in held if not words or cidr in wanted]
        self.claims[holder] = [cidr for cidr in held if cidr not in taken]
        return taken

    def expose(self, words: list[str]) -> None:
        self.require_router(words)
        given = self.claim(HOST, words)
        bridge()
        for cidr in given:
            run(["ip", "addr", "replace", cidr, "dev", "weave"])
        show(given)

    def hide(self, words: list[str]) -> None:
        self.require_router(["/"])
        taken = self.release(HOST, words)
        for cidr in taken:
            run(["ip", "addr", "del", cidr, "dev", "weave"], check=False)
        self.save()
        show(taken)

    def status(self, words: list[str]) -> None:
        self.require_router([])
        print("        Version: 2.8.1\n\n        Service: router")


def namespace(pid: int) -> int:
    return Path(f"/proc/{pid}/ns/net").stat().st_ino


def bridge() -> None:
    run(["ip", "link", "add", "weave", "type", "bridge"], check=False)
    run(["ip", "link", "set", "weave", "up"])


def show(cidrs: list[str]) -> None:
    """As `weave` does: without the prefix length, one line."""
    if cidrs:
        print(" ".join(cidr.partition("/")[0] for cidr in cidrs))


def run(words: list[str], *, check: bool = True) -> int:
    return subprocess.run(words, check=check, capture_output=True).returncode


def main() -> None:
    folder = Path(os.environ[FOLDER])
    if os.environ.get("DOCKER_HOST") != (folder / "docker_host").read_text():
        end(99, f"the stand-in was told DOCKER_HOST={os.environ.get('DOCKER_HOST')}")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with (folder / "calls").open("a") as log:
            log.write(json.dumps(sys.argv[1:]) + "\n")
        if (folder / "hang").exists():
            signal.pause()
        verbs = {"attach", "detach", "expose", "hide", "status"}
        if not sys.argv[1:] or sys.argv[1] not in verbs:
            end(1, USAGE)
        getattr(Weave(folder), sys.argv[1])(sys.argv[2:])


if __name__ == "__main__":
    main()
