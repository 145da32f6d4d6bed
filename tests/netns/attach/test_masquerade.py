"""The way to the outside over an exposed host, as docs/attach.md has it to type."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.netns.attach.conftest import container, reaches
from waitforweave.gate.weave_cidr import parse

DOC = Path(__file__).resolve().parents[3] / "docs/attach.md"


def test_a_container_with_no_other_network_reaches_the_outside(host, one, two):
    host.attach(container(one, "a"), "10.2.1.5/24")
    host.run(lambda: host.backend.expose(parse("10.2.1.1/24")))
    one.ip("route add default via 10.2.1.1")
    # The outside knows the host, and no container.
    host.space.ip(f"link add up0 type veth peer name up1 netns {two.pid}", "link set up0 up")
    host.space.ip("addr add 192.0.2.1/30 dev up0")
    two.ip("addr add 192.0.2.2/30 dev up1", "link set up1 up")
    forwarding = "echo 1 > /proc/sys/net/ipv4/ip_forward"
    subprocess.run(host.space.enter("sh", "-c", forwarding), check=True)
    subprocess.run(host.space.enter("iptables", "-P", "FORWARD", "DROP"), check=True)
    assert not reaches(one, "192.0.2.2", 1)
    lines = re.findall(r"^    (iptables -.*)$", DOC.read_text(), re.MULTILINE)
    for line in lines:
        subprocess.run(host.space.enter(*line.split()), check=True)
    assert reaches(one, "192.0.2.2")
    assert len(lines) == 3
