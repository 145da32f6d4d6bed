"""A flood of events in the gate's namespace, and then the one that it waits for."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

from tests.bench.gate import ADDRESS, milliseconds, stamp
from tests.bench.programs import FROZEN
from tests.bench.rtnl import (
    REQUEST,
    RTM_DELADDR,
    RTM_NEWADDR,
    RTM_NEWLINK,
    Rtnl,
    address_payload,
    inside,
    message,
    mtu_payload,
)
from tests.bench.table import Row
from tests.bench.waiting import number
from tests.netns.gate.space import Gate, Space

EVENTS = 50_000
# So many messages a send: the kernel takes them one after the other.
BATCH = 400
ENVIRON = {"WEAVE_CIDR": f"{ADDRESS}/24", "WAIT_FOR_SECONDS": "0", "PATH": os.environ["PATH"]}


def rows() -> list[Row]:
    """Needs root; the gate waits for another address of an interface that is there."""
    with Space() as space:
        space.attach("10.9.9.9/24")
        return inside(space, measure)


def measure() -> list[Row]:
    """Two floods: after the first the gate comes to rest; behind the second comes the address."""
    command = [str(FROZEN), *stamp()]
    process = subprocess.Popen(command, env=ENVIRON, stdout=subprocess.PIPE)
    gate = Gate(process).settled()
    with Rtnl() as rtnl:
        before = resident(process.pid)
        seconds = flood(rtnl)
        begun = time.monotonic_ns()
        gate.settled()
        caught_up = (time.monotonic_ns() - begun) / 1e6
        after = resident(process.pid)
        flood(rtnl)
        begun = time.monotonic_ns()
        rtnl.add_address(socket.if_nametoindex("ethwe"), ADDRESS)
        ms = milliseconds(begun, process)
    what = f"flood of {EVENTS} events"
    return [
        Row(f"{what}: made in", 1000 * seconds),
        Row(f"{what}: last one to all taken in", caught_up),
        Row(f"{what}: address after it to exec", ms),
        Row(f"{what}: resident before", before, unit="kB"),
        Row(f"{what}: resident after", after, before, "flat", "kB"),
    ]


def resident(pid: int) -> float:
    return 1.024 * number(Path(f"/proc/{pid}/status").read_text(), "VmRSS:")


def flood(rtnl: Rtnl) -> float:
    """EVENTS on the gate's own interface, half of them addresses; how many seconds it took."""
    index = socket.if_nametoindex("ethwe")
    four = [
        message(RTM_NEWADDR, REQUEST, address_payload(index, "10.8.8.8", 32)),
        message(RTM_NEWLINK, REQUEST, mtu_payload(index, 1400)),
        message(RTM_DELADDR, REQUEST, address_payload(index, "10.8.8.8", 32)),
        message(RTM_NEWLINK, REQUEST, mtu_payload(index, 1500)),
    ]
    begun = time.monotonic()
    for _ in range(EVENTS // BATCH):
        rtnl.send(b"".join(four) * (BATCH // len(four)))
    return time.monotonic() - begun
