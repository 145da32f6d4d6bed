"""What c/self.c prints, so that two runs can be compared."""

from __future__ import annotations

import re

NUMBERED = re.compile(r"\[\d+\]|/dev/pts/\d+")
CONTAINER = re.compile(r"[0-9a-f]{64}")


def facts(printed: str) -> dict[str, str]:
    """Key to value. Two runs have other pipes, terminals and containers: the n-th is "[n]"."""
    names: dict[str, str] = {}

    def nth(match: re.Match[str]) -> str:
        return names.setdefault(match[0], f"[{len(names)}]")

    lines = NUMBERED.sub(nth, CONTAINER.sub("CONTAINER", printed)).splitlines()
    found = dict(line.partition(" ")[::2] for line in lines)
    assert len(found) == len(lines), "a key that comes twice"
    assert "family.threads" in found, "not printed to the end"
    return found
