"""One attach by the backend bridge, beside the same links and addresses made by ip(8)."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.bench.table import Row, medians
from tests.netns.gate.space import Space
from waitforweave.attach import netns
from waitforweave.attach.backend import Container
from waitforweave.attach.choose import make_backend
from waitforweave.gate.weave_cidr import parse

ROUNDS = 50
WANTED = parse("net:default")


def rows() -> list[Row]:
    """Needs root; the "host" is a namespace of the bench's own."""
    with ExitStack() as stack:
        host = stack.enter_context(Space())
        # One for each attach: the kernel's deletion of a link goes on behind the next creation.
        spaces = [stack.enter_context(Space()) for _ in range(2 * ROUNDS)]
        state = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        fd = os.open(f"/proc/{host.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        stack.callback(os.close, fd)
        ms = netns.run_inside(fd, lambda: measured(iter(spaces), state))
    return [
        Row("attach by ip(8) and nsenter(1)", ms["ip"]),
        Row("attach by bridge", ms["bridge"], ms["ip"], "<= 8 ms; Weave: 50"),
    ]


def measured(spaces: Iterator[Space], state: Path) -> dict[str, float]:
    backend = make_backend("bridge", subnet="10.32.0.0/12", state=state)
    backend.prepare()

    def bridge() -> float:
        pid = next(spaces).pid
        return milliseconds(lambda: backend.attach(Container(f"{pid:064x}", pid), WANTED))

    def by_hand() -> float:
        space = next(spaces)
        return milliseconds(lambda: by_ip(space))

    return medians(ROUNDS, {"ip": by_hand, "bridge": bridge})


def milliseconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - begun)


def by_ip(space: Space) -> None:
    """What a script has to do, each step a process, inside one more to enter."""
    far = f"far{space.pid}"
    ip("link", "add", far, "type", "veth", "peer", "name", "ethwe", "netns", str(space.pid))
    ip("link", "set", far, "master", "weave")
    space.ip(
        "addr add 10.47.0.9/12 brd + dev ethwe",
        "link set ethwe up",
        "route add 224.0.0.0/4 dev ethwe",
    )
    ip("link", "set", far, "up")


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
