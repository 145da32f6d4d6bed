"""Which network a command works on: the options that say so, and what becomes of its errors."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waitforweave.attach.backend import AttachError, Backend
from waitforweave.attach.choose import make_backend
from waitforweave.attach.options import Options
from waitforweave.cli.errors import told
from waitforweave.cli.options import (
    backend_option,
    engine_option,
    network_options,
    state_option,
    subnet_option,
)
from waitforweave.docker.engine import Engine
from waitforweave.hooks.holder import name_holder

# Last to first, as decorators stand on a function.
OPTIONS = (network_options, state_option, subnet_option, backend_option, engine_option)


@dataclass(frozen=True)
class Network:
    """What the operator has named; `kind` is its --backend."""

    engine: str
    kind: str
    subnet: str
    state: Path
    options: Options

    def backend(self) -> Backend:
        return make_backend(
            self.kind,
            subnet=self.subnet,
            state=self.state,
            engine=self.engine,
            options=self.options,
        )

    @contextmanager
    def used(self, command: str) -> Iterator[Backend]:
        """The backend; an error in the block ends the command with a line on stderr."""
        with told(command):
            try:
                yield self.backend()
            except AttachError as error:
                raise AttachError(asyncio.run(self.explained(str(error)))) from error

    async def explained(self, refusal: str) -> str:
        async with Engine(self.engine) as engine:
            return await name_holder(engine, refusal)


def on_network(command: Callable[..., None]) -> Callable[..., None]:
    """All of these options, given to the command as `network`."""

    @functools.wraps(command)
    def collected(
        *,
        engine: str,
        backend: str,
        subnet: str,
        state: Path,
        options: Options,
        **others: Any,  # noqa: ANN401 - the command's own
    ) -> None:
        command(network=Network(engine, backend, subnet, state, options), **others)

    made: Callable[..., None] = collected
    for option in OPTIONS:
        made = option(made)
    return made
