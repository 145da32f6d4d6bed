"""How a container is had without its gate, also where somebody has put that there himself."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from waitforweave.cli import unwrap
from waitforweave.cli.main import weavewait
from waitforweave.docker.create import GATE
from waitforweave.docker.original import Original


def config(entrypoint: list[str], cmd: list[str] | None = None) -> dict[str, Any]:
    return {"Entrypoint": [GATE, *entrypoint], "Cmd": cmd, "Labels": None}


@pytest.mark.parametrize(
    ("found", "command"),
    [
        (config(["--"], ["echo", "--"]), ["echo", "--"]),
        (config(["--interface", "tun0", "--"], ["app", "-x"]), ["app", "-x"]),
        (config(["--interface=tun0", "app"]), ["app"]),
        (config(["--no-such-option", "app"]), ["--no-such-option", "app"]),
        (config([]), []),
    ],
)
def test_without_labels_it_is_what_stands_behind_the_gates_options(found, command):
    assert unwrap.original_of(found) == Original([], command)


def test_a_gate_without_a_command_is_told(monkeypatch):
    async def found(*_: object) -> tuple[dict[str, Any], str]:
        return config([]), "image"

    monkeypatch.setattr(unwrap, "found", found)
    said = CliRunner().invoke(weavewait, ["unwrap", "web"])
    assert (said.exit_code, said.stdout) == (
        0,
        "web is the gate alone, without a command: there is nothing to have again\n",
    )
