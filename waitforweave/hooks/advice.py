"""What a person can do about a container that is not ready: a sentence, and a command. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from shlex import quote

from waitforweave.docker.create import GATE

# How the gate ends that has not become its command (docs/gate.md); above: a signal, which
# somebody sent.
TIME_OUT = 1
ENDS = {
    TIME_OUT: "the gate's time ran out",
    2: "an option of the gate has a wrong value",
    125: "the gate itself failed",
    126: "its command cannot be executed",
    127: "its command is not there",
}
CURES = {
    TIME_OUT: "It ended before its network was there. Its last lines say what was missing; "
    "WAIT_FOR_WEAVE_TIMEOUT=N waits longer (0: for ever).",
    2: "Its last lines say which option, and what is allowed.",
    125: "Its last lines say what failed.",
    126: "Its last lines say which program, and why.",
    127: "Its last lines say which program was looked for.",
}


@dataclass(frozen=True)
class Advice:
    """`command` may be ""; it changes nothing but where it is what one would have to do."""

    text: str
    command: str = ""


# By what the reason says, the first that fits. `holder` is the id of another container.
REASONS: tuple[tuple[str, Advice], ...] = (
    (
        r"already (?:in use|owned|is already owned) by (?:\S+ \()?(?P<holder>[0-9a-f]{12})",
        Advice(
            "Two containers were promised the same address: give one of them another, or remove "
            "the one that has it.",
            "docker inspect -f '{{{{.Name}}}}' {holder}",
        ),
    ),
    (
        r"no address is free in",
        Advice(
            "Stopped containers keep their addresses until they are removed; or name a wider "
            "subnet.",
            "docker ps -a --filter status=exited",
        ),
    ),
    (
        r'bridge "weave" not present|weave container is not running',
        Advice("Weave Net does not run on this host.", "weave launch"),
    ),
    (
        r"out of bounds",
        Advice("The subnet is not one of Weave Net's own range.", "weave status ipam"),
    ),
    (
        r"root is needed|may not open",
        Advice(
            "The hook server lacks rights: run it as root of the host, with the host's pids; "
            "weavewait launch sees to both."
        ),
    ),
    (r"CNI plugin", Advice("The plugin refused: check its configuration, and its own log.")),
)
SERVERS_LOG = Advice(
    "The hook server's log says what it did. As processes of the host it is hooks.log in "
    "/run/weavewait/ENGINE/.",
    "docker logs weavewait-hooks",
)


def for_reason(reason: str) -> Advice:
    """About an attach that failed."""
    for pattern, advice in REASONS:
        found = re.search(pattern, reason)
        if found is not None:
            return Advice(advice.text, advice.command.format(**found.groupdict()))
    return SERVERS_LOG


def for_end(name: str, code: int) -> Advice:
    """About a gate that ended without becoming its command."""
    return Advice(CURES[code], f"docker logs {quote(name)}")


def for_waiting(name: str) -> Advice:
    """About a gate that waits still, though its container was attached."""
    return Advice(
        "It was attached, but its gate waits for more, and can say for what.",
        f"docker exec {quote(name)} {GATE} --explain",
    )
