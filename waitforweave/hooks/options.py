"""What an operator asks of the hook server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """`volume_image` is what the volume container is made from, should it have gone; `backend` is
    the network's name, for who reads the status."""

    volume_image: str
    backend: str = "bridge"
    hold_exec: bool = False
    gate_all: bool = False
    show_addresses: bool = False
