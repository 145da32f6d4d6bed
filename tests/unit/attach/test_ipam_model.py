"""No two running containers ever hold one address, whatever order things happen in.

An attach is three steps that others may come between: claim, the link (from which on a holder
counts as alive), confirm. The machine takes the steps in any order; a container that confirmed
and still has its link is one that talks.
"""

from __future__ import annotations

import ipaddress
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from waitforweave.attach.backend import AttachError
from waitforweave.attach.ipam import Claim, Ipam
from waitforweave.gate.weave_cidr import parse

CONTAINERS = st.sampled_from([letter * 64 for letter in "abcdef"])
WORDS = ["10.2.1.1/29", "10.2.1.2/29", "10.2.1.2/24", "net:10.2.1.0/29", "net:10.2.1.0/30", ""]
VALUES = st.lists(st.sampled_from(WORDS[:-1]), min_size=1, max_size=3).map(" ".join) | st.just("")


class Attaches(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.state = Path(tempfile.mkdtemp(prefix="wfw-ipam-"))
        self.ipam = Ipam(self.state, "10.2.1.0/30")
        self.claimed: dict[str, list[Claim]] = {}
        self.linked: set[str] = set()
        self.talking: dict[str, list[str]] = {}

    def teardown(self) -> None:
        self.ipam.close()
        shutil.rmtree(self.state)

    def alive(self, container: str) -> bool:
        return container in self.linked

    @rule(container=CONTAINERS, value=VALUES)
    def claim(self, container: str, value: str) -> None:
        if container in self.claimed:
            return
        try:
            claims = self.ipam.claim(container, parse(value), self.alive)
        except AttachError:
            return
        wanted = parse(value)
        assert len(claims) == len(wanted)
        for claim, word in zip(claims, wanted, strict=True):
            assert claim.cidr == word.text or word.kind != "address"
        self.claimed[container] = claims

    @precondition(lambda self: self.claimed)
    @rule(data=st.data())
    def link(self, data: st.DataObject) -> None:
        self.linked.add(data.draw(st.sampled_from(sorted(self.claimed))))

    @precondition(lambda self: self.linked & self.claimed.keys())
    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        container = data.draw(st.sampled_from(sorted(self.linked & self.claimed.keys())))
        claims = self.claimed.pop(container)
        try:
            self.ipam.confirm(container, claims)
        except AttachError:
            if container not in self.talking:
                self.linked.discard(container)
            self.ipam.undo(container, claims)
            return
        self.talking.setdefault(container, []).extend(claim.cidr for claim in claims)

    @precondition(lambda self: self.linked)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        """The container's process ends: its namespace goes, and the link with it."""
        container = data.draw(st.sampled_from(sorted(self.linked)))
        self.linked.discard(container)
        self.claimed.pop(container, None)
        self.talking.pop(container, None)

    @rule(container=CONTAINERS)
    def detach(self, container: str) -> None:
        if container in self.claimed:  # The container's lock: an attach is under way.
            return
        self.linked.discard(container)
        self.talking.pop(container, None)
        self.ipam.release(container)

    @invariant()
    def nobody_shares(self) -> None:
        held = [
            address
            for cidrs in self.talking.values()
            for address in {ipaddress.ip_interface(cidr).ip for cidr in cidrs}
        ]
        assert len(held) == len(set(held)), self.talking


TestAttaches = Attaches.TestCase
TestAttaches.settings = settings(
    deadline=None,
    max_examples=60,
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow],
)
