"""No two running containers ever hold one address, whatever order things happen in.

Two hook servers, each with its own containers and its own books, give from the same subnets. An
attach is four steps that others may come between: claim, the link (from which on a holder counts
as alive), confirm, and the names that the kernel has once. The machine takes the steps in any
order; a container that has its names and still has its link is one that talks.
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
from waitforweave.attach.claims import Address, Links
from waitforweave.attach.ipam import Claim, Ipam
from waitforweave.gate.weave_cidr import parse

CONTAINERS = st.sampled_from([letter * 64 for letter in "abcdef"])
SECOND = "def"
WORDS = ["10.2.1.1/29", "10.2.1.2/29", "10.2.1.2/24", "net:10.2.1.0/29", "net:10.2.1.0/30", ""]
VALUES = st.lists(st.sampled_from(WORDS[:-1]), min_size=1, max_size=3).map(" ".join) | st.just("")


class Attaches(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.state = Path(tempfile.mkdtemp(prefix="wfw-ipam-"))
        self.books = [Ipam(self.state / name, "10.2.1.0/30") for name in ("one", "two")]
        self.claimed: dict[str, list[Claim]] = {}
        self.confirmed: dict[str, list[Claim]] = {}
        # As the kernel has them: whose link each address is a name of.
        self.names: dict[Address, str] = {}
        self.linked: set[str] = set()
        self.talking: dict[str, list[str]] = {}

    def teardown(self) -> None:
        for books in self.books:
            books.close()
        shutil.rmtree(self.state)

    def ipam(self, container: str) -> Ipam:
        return self.books[container[0] in SECOND]

    def alive(self, container: str) -> bool:
        return container in self.linked

    def unlink(self, container: str) -> None:
        """The link goes, and its names with it."""
        self.linked.discard(container)
        self.talking.pop(container, None)
        self.names = {name: of for name, of in self.names.items() if of != container}

    @rule(container=CONTAINERS, value=VALUES)
    def claim(self, container: str, value: str) -> None:
        if self.under_way(container):
            return
        links = Links(self.alive, self.names.get)
        try:
            claims = self.ipam(container).claim(container, parse(value), links)
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
            self.ipam(container).confirm(container, claims)
        except AttachError:
            self.undo(container, claims, [])
            return
        self.confirmed[container] = claims

    @precondition(lambda self: self.confirmed)
    @rule(data=st.data())
    def reserve(self, data: st.DataObject) -> None:
        container = data.draw(st.sampled_from(sorted(self.confirmed)))
        claims, new = self.confirmed.pop(container), list[Address]()
        for claim in claims:
            address = ipaddress.ip_interface(claim.cidr).ip
            if self.names.get(address, container) != container:
                self.undo(container, claims, new)
                return
            if address not in self.names:
                self.names[address] = container
                new.append(address)
        self.talking.setdefault(container, []).extend(claim.cidr for claim in claims)

    def undo(self, container: str, claims: list[Claim], new: list[Address]) -> None:
        for address in new:
            del self.names[address]
        if container not in self.talking:
            self.unlink(container)
        self.ipam(container).undo(container, claims)

    def under_way(self, container: str) -> bool:
        """The container's lock."""
        return container in self.claimed or container in self.confirmed

    @precondition(lambda self: self.linked)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        """The container's process ends: its namespace goes, and the link with it."""
        container = data.draw(st.sampled_from(sorted(self.linked)))
        self.unlink(container)
        self.claimed.pop(container, None)
        self.confirmed.pop(container, None)

    @rule(container=CONTAINERS)
    def detach(self, container: str) -> None:
        if self.under_way(container):
            return
        self.unlink(container)
        self.ipam(container).release(container)

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
