"""How long the gate takes: from its start to exec, and from the address to exec.

    .venv/bin/python -m tests.bench.gate

needs root and the frozen gate. In turns and in one run: the gate, the bare interpreter that does
no more than exec, a gate in C (limit.c) that does the same job, and one that looks each 100 ms
(poll.c). Ratios carry over to other machines, milliseconds do not.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from tempfile import TemporaryDirectory

from tests.bench.programs import BUNDLE, FROZEN, as_after_boot, built, fresh_copy
from tests.bench.rtnl import Rtnl, inside
from tests.bench.table import Row, medians, show
from tests.netns.gate.space import Gate, Space

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
POLL_SECONDS = 0.1


def rows() -> list[Row]:
    """Both measurements of the frozen gate, each with its baselines."""
    as_after_boot(BUNDLE)
    with TemporaryDirectory() as folder, Space() as space:
        space.attach(f"{ADDRESS}/24")
        gates = {"gate": [str(FROZEN)], "fresh": fresh_copy(BUNDLE, folder)}
        return inside(space, lambda: [*start_rows(gates), *address_rows(gates)])


def stamp() -> list[str]:
    """The command: it prints the time at which it runs."""
    return [built("limit"), "--stamp"]


def start_rows(gates: dict[str, list[str]]) -> list[Row]:
    """Where the address is there already."""
    command = stamp()
    exec_it = f"import os; os.execv({command[0]!r}, {command!r})"
    starts = {
        "nothing": command,
        "bare": [sys.executable, "-I", "-S", "-c", exec_it],
        "limit": [built("limit"), "ethwe", ADDRESS, *command],
        **{name: [*gate, *command] for name, gate in gates.items()},
    }
    ms = medians(ROUNDS, {name: partial(start_to_exec, argv) for name, argv in starts.items()})
    return [
        Row("start to exec: the command by itself", ms["nothing"]),
        Row("start to exec: gate in C (limit.c)", ms["limit"]),
        Row("start to exec: bare interpreter", ms["bare"]),
        Row("start to exec: gate, network there", ms["gate"], ms["bare"], "<= 1.45"),
        Row("start to exec: gate, freshly copied", ms["fresh"], ms["bare"], "<= 1.45"),
    ]


def address_rows(gates: dict[str, list[str]]) -> list[Row]:
    """Where the address comes while they wait."""
    command = stamp()
    waits = {
        "limit": [built("limit"), "ethwe", ADDRESS, *command],
        "bare": [sys.executable, "-I", "-S", "-c", AWAIT_AND_EXEC, *command],
        **{name: [*gate, *command] for name, gate in gates.items()},
    }
    poll = [built("poll"), "ethwe", ADDRESS, *command]
    with Rtnl() as rtnl:
        index = socket.if_nametoindex("ethwe")
        rtnl.delete_address(index, ADDRESS)
        kinds = {name: partial(address_to_exec, rtnl, index, argv) for name, argv in waits.items()}
        ms = medians(ROUNDS, {**kinds, "poll": partial(address_to_poll, rtnl, index, poll)})
    return [
        Row("address to exec: gate in C (limit.c)", ms["limit"]),
        Row("address to exec: bare interpreter", ms["bare"]),
        Row("address to exec: gate", ms["gate"], ms["limit"], "<= 2"),
        Row("address to exec: gate, freshly copied", ms["fresh"], ms["limit"], "<= 2"),
        Row("address to exec: gate, beside one that polls", ms["gate"], ms["poll"], "<= 0.05"),
    ]


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


def address_to_exec(rtnl: Rtnl, index: int, argv: list[str]) -> float:
    """The command's first act, after the address was asked for, in milliseconds."""
    process = start(argv)
    Gate(process).settled()
    return added(rtnl, index, process)


def address_to_poll(rtnl: Rtnl, index: int, argv: list[str]) -> float:
    """The same for a gate that polls: the address comes anywhere between two of its looks."""
    process = start(argv)
    threading.Event().wait(POLL_SECONDS * (1 + random.random()))
    return added(rtnl, index, process)


def added(rtnl: Rtnl, index: int, process: subprocess.Popen[bytes]) -> float:
    begun = time.monotonic_ns()
    rtnl.add_address(index, ADDRESS)
    taken = milliseconds(begun, process)
    rtnl.delete_address(index, ADDRESS)
    return taken


if __name__ == "__main__":
    print(show(rows()))
