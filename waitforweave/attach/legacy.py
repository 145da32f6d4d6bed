"""The legacy tables, where a host uses them: out of nftables' reach, so their own command is run,
if the host has it. Our image has not; there a line says what to type.

A legacy table that nobody uses is not there, and drops nothing.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

from waitforweave.attach.command import Done, inherited, run

log = logging.getLogger(__name__)

TABLES = Path("/proc/thread-self/net")
PROGRAMS = {"ip_tables_names": "iptables-legacy", "ip6_tables_names": "ip6tables-legacy"}
LIMIT_SECONDS = 10.0


def open_legacy(bridge: str) -> None:
    """Let through what comes from `bridge` and goes to it. Idempotent. AttachError."""
    for program in used():
        if shutil.which(program) is None:
            log.warning(
                "this host has legacy iptables; if containers do not reach each other, type: "
                "%s -I FORWARD -i %s -o %s -j ACCEPT",
                program,
                bridge,
                bridge,
            )
        elif call(program, "-C", bridge).code != 0:
            done = call(program, "-I", bridge)
            if done.code != 0:
                log.warning("%s: %s", program, done.err.strip())


def close_legacy(bridge: str) -> None:
    """Take that rule away again. AttachError."""
    for program in used():
        if shutil.which(program) is not None and call(program, "-C", bridge).code == 0:
            call(program, "-D", bridge)


def has_rule(program: str, bridge: str) -> bool | None:
    """Whether the rule is there; None where the host has not this command. AttachError."""
    if shutil.which(program) is None:
        return None
    return call(program, "-C", bridge).code == 0


def used() -> Iterator[str]:
    """The commands of the families whose legacy table `filter` is in use."""
    for name, program in PROGRAMS.items():
        try:
            tables = (TABLES / name).read_text().split()
        except OSError:
            continue
        if "filter" in tables:
            yield program


def call(program: str, verb: str, bridge: str) -> Done:
    """-w: other programs change these tables too, one after the other."""
    words = [program, "-w", verb, "FORWARD", "-i", bridge, "-o", bridge, "-j", "ACCEPT"]
    return run(words, inherited(), LIMIT_SECONDS)
