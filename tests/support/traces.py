"""All that a launch could leave behind on an engine and in its network."""

from __future__ import annotations

import subprocess

from tests.support.engine import PrivateEngine


def traces(engine: PrivateEngine) -> dict[str, str]:
    ask = {
        "containers": ["docker", "-H", engine.url, "ps", "-aq", "--no-trunc"],
        "volumes": ["docker", "-H", engine.url, "volume", "ls", "-q"],
        "links": [*engine.enter(), "ip", "-o", "link", "show", "type", "bridge"],
        "veths": [*engine.enter(), "ip", "-o", "link", "show", "type", "veth"],
        "rules": [*engine.enter(), "iptables", "-S", "FORWARD"],
        "tables": [*engine.enter(), "nft", "list", "tables"],
        "files": [*engine.enter(), "find", "/run", "/var/lib", "-path", "*weavewait*"],
    }
    said = {
        name: subprocess.run(words, capture_output=True, text=True, check=True).stdout
        for name, words in ask.items()
    }
    # By their names: docker0 loses its carrier at a time of its own.
    for kind in ("links", "veths"):
        said[kind] = " ".join(line.split(": ")[1] for line in said[kind].splitlines())
    return said
