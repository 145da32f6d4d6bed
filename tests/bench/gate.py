"""How long the gate takes: from its start to exec, and from the address to exec.

    .venv/bin/python -m tests.bench.gate [--gate PATH]

needs root. In turns and in one run: the gate, the bare interpreter that does no more than exec,
and a gate in C (limit.c) that does the same job. Ratios carry over to other
machines, milliseconds do not.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import platform
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from struct import pack

from tests.bench.table import Row, medians, show
from tests.netns.gate.space import GATE, Gate, Space

ROOT = Path(__file__).resolve().parents[2]
FROZEN = ROOT / "dist" / "wait-for-weave" / "wait-for-weave"
LIMIT = ROOT / ".cache" / "limit"
SOURCE = Path(__file__).with_name("limit.c")
ROUNDS = 60
ADDRESS = "10.2.1.5"
ENVIRON = {"WEAVE_CIDR": f"{ADDRESS}/24", "PATH": os.environ["PATH"]}
# The least that a Python program can do: a message comes (a notification is short), exec.
AWAIT_AND_EXEC = """
import _socket, posix, sys
sock = _socket.socket(16, 3, 0)
sock.bind((0, 0x111))
sock.recv(65536)
posix.execv(sys.argv[1], sys.argv[1:])
"""
RTM_NEWADDR, RTM_DELADDR = 20, 21
REQUEST_ACK, REQUEST_ACK_CREATE = 0x005, 0x605


def build_limit() -> Path:
    """limit.c as a static program, by the compiler that is a Python package."""
    if not LIMIT.exists() or LIMIT.stat().st_mtime < SOURCE.stat().st_mtime:
        LIMIT.parent.mkdir(exist_ok=True)
        compiler = [sys.executable, "-m", "ziglang", "cc"]
        target = ["-static", "-O2", "-target", f"{platform.machine()}-linux-musl"]
        cache = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(LIMIT.parent / "zig")}
        subprocess.run([*compiler, *target, "-o", LIMIT, SOURCE], check=True, env=cache)
    return LIMIT


def find_gate() -> list[str]:
    """The frozen gate if it has been made, else the gate as it stands here."""
    return [str(FROZEN)] if FROZEN.exists() else list(GATE)


def rows(gate: list[str] | None = None) -> list[Row]:
    """Both measurements of `gate` (its first words), each with its baselines."""
    limit = build_limit()
    with Space() as space:
        space.attach(f"{ADDRESS}/24")
        found: list[Row] = []
        thread = threading.Thread(
            target=lambda: found.extend(measure(space, gate or find_gate(), str(limit)))
        )
        # setns is per thread, and what a thread starts is where the thread is.
        thread.start()
        thread.join()
    return found


def measure(space: Space, gate: list[str], limit: str) -> list[Row]:
    """In a thread of its own: enter the namespace, and measure there."""
    enter(space.pid)
    stamp = [limit, "--stamp"]
    exec_it = f"import os; os.execv({limit!r}, {stamp!r})"
    starts = {
        "nothing": stamp,
        "bare": [sys.executable, "-I", "-S", "-c", exec_it],
        "gate": [*gate, *stamp],
        "limit": [limit, "ethwe", ADDRESS, *stamp],
    }
    started = medians(ROUNDS, {n: partial(start_to_exec, argv) for n, argv in starts.items()})
    bare = [sys.executable, "-I", "-S", "-c", AWAIT_AND_EXEC, *stamp]
    waits = {"gate": starts["gate"], "limit": starts["limit"], "bare": bare}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as rtnl:
        index = socket.if_nametoindex("ethwe")
        change_address(rtnl, index, RTM_DELADDR)
        added = medians(
            ROUNDS, {n: partial(address_to_exec, rtnl, index, a) for n, a in waits.items()}
        )
    return [
        Row("start to exec: the command by itself", started["nothing"]),
        Row("start to exec: gate in C (limit.c)", started["limit"]),
        Row("start to exec: bare interpreter", started["bare"]),
        Row("start to exec: gate, network there", started["gate"], started["bare"], "<= 1.5"),
        Row("address to exec: gate in C (limit.c)", added["limit"]),
        Row("address to exec: bare interpreter", added["bare"]),
        Row("address to exec: gate", added["gate"], added["limit"], "<= 2"),
    ]


def enter(pid: int) -> None:
    """Put this thread into the network namespace of a process."""
    with Path(f"/proc/{pid}/ns/net").open() as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0):
            raise OSError(ctypes.get_errno(), "setns")


def start(argv: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(argv, env=ENVIRON, stdout=subprocess.PIPE)


def milliseconds(begun: int, process: subprocess.Popen[bytes]) -> float:
    """From `begun` until the command ran, by the stamp that it printed."""
    out, _ = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
    return (int(out) - begun) / 1e6


def start_to_exec(argv: list[str]) -> float:
    """The command's first act, after its start through `argv`, in milliseconds."""
    begun = time.monotonic_ns()
    return milliseconds(begun, start(argv))


def address_to_exec(rtnl: socket.socket, index: int, argv: list[str]) -> float:
    """The command's first act, after the address was asked for, in milliseconds."""
    process = start(argv)
    Gate(process).settled()
    begun = time.monotonic_ns()
    change_address(rtnl, index, RTM_NEWADDR)
    taken = milliseconds(begun, process)
    change_address(rtnl, index, RTM_DELADDR)
    return taken


def change_address(rtnl: socket.socket, index: int, kind: int) -> None:
    """Add or delete ADDRESS/24, by one message: starting `ip` would take longer than the gate."""
    packed = socket.inet_aton(ADDRESS)
    payload = pack("=BBBBI", socket.AF_INET, 24, 0, 0, index)
    payload += pack("=HH4s", 8, 1, packed) + pack("=HH4s", 8, 2, packed)
    flags = REQUEST_ACK_CREATE if kind == RTM_NEWADDR else REQUEST_ACK
    rtnl.send(pack("=IHHII", 16 + len(payload), kind, flags, 1, 0) + payload)
    error = int.from_bytes(rtnl.recv(4096)[16:20], sys.byteorder, signed=True)
    if error:
        raise OSError(-error, "changing the address")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--gate", help="the gate to measure (default: the frozen one, if made)")
    chosen = parser.parse_args().gate
    gate = [chosen] if chosen else find_gate()
    print("gate:", *gate)
    print(show(rows(gate)))


if __name__ == "__main__":
    main()
