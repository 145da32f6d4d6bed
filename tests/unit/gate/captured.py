"""The recorded datagrams of captures/ and how our own decoder tells what is in one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from socket import inet_ntop

from waitforweave.gate import nlmsg, rtnl
from waitforweave.gate.routes import Route

CAPTURES = Path(__file__).parent / "captures"
OPERSTATES = ("UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP")


@dataclass(frozen=True)
class Capture:
    """What the kernel sent, and what pyroute2 read in each of its messages."""

    name: str
    datagrams: list[bytes]
    told: list[str]


def read(path: Path) -> Capture:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    datagrams = [bytes.fromhex(line) for line in lines if not line.startswith("=")]
    return Capture(path.stem, datagrams, [line[2:] for line in lines if line.startswith("=")])


def everything() -> list[Capture]:
    return [read(path) for path in sorted(CAPTURES.glob("*.hex"))]


def load(name: str) -> Capture:
    return read(CAPTURES / f"{name}.hex")


def tell(datagram: bytes) -> list[str]:
    """One line a message, in the words of capture.py."""
    return [tell_message(message) for message in nlmsg.decode(datagram)]


def tell_message(message: nlmsg.Message) -> str:
    if message.kind in (2, 3):
        rtnl.decode_error(message.payload)
        return {2: "error", 3: "done"}[message.kind]
    event = rtnl.decode(message.kind, message.payload)
    if isinstance(event, rtnl.Gone):
        return f"gone {tell_fact(event.was)}"
    return tell_fact(event)


def tell_fact(fact: rtnl.Link | rtnl.Address | Route | None) -> str:
    if isinstance(fact, Route):
        to = f"{inet_ntop(fact.family, fact.packed)}/{fact.prefixlen}"
        return f"route {to} out of {[*fact.indices]} table {fact.table} metric {fact.priority}"
    if isinstance(fact, rtnl.Link):
        # A changed byte may be a state that no kernel knows.
        names = dict(enumerate(OPERSTATES))
        state = names.get(fact.operstate, f"operstate {fact.operstate}")
        return f"link {fact.index} {fact.name} {fact.flags:#x} {state}"
    if isinstance(fact, rtnl.Address):
        return f"address {fact.index} {fact.text} scope {fact.scope} {fact.flags:#x}"
    return "none"
