"""What scenes of docker-py have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from docker import DockerClient
from docker.errors import APIError, NotFound

from tests.docker.proxy.scenes import IMAGE, Stage


@contextmanager
def made(
    client: DockerClient, stage: Stage, command: list[str], *, start: bool = True, **options: Any
) -> Iterator[Any]:
    """A container, without a network and removed at the end."""
    words = {"network_mode": "none", **options}
    container = client.containers.create(IMAGE, command, **words)
    try:
        if start:
            container.start()
        yield container
    finally:
        with suppress(NotFound):
            container.remove(force=True, v=True)


def failed(kind: type[Exception], call: Callable[..., Any], *words: Any, **more: Any) -> Any:
    """The error that this call has to raise."""
    try:
        said = call(*words, **more)
    except kind as error:
        return error
    raise AssertionError(f"{call} should have failed, and said {said!r}")


def bare(error: APIError) -> tuple[str, int, str | None]:
    """An error of the engine: its class, its status, and what the engine said."""
    return type(error).__name__, error.response.status_code, error.explanation
