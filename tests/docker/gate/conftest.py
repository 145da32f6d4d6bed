"""Fixtures: the frozen gate's volume, and a container whose network others share, ethwe ready."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.docker.gate import boxes, roots
from tests.support import images
from tests.support.compiled import compiled
from tests.support.engine import PrivateEngine
from tests.support.engine_api import EngineApi
from waitforweave.docker.create import VOLUME_CONTAINER


@pytest.fixture(scope="module")
def api(engine: PrivateEngine) -> Iterator[EngineApi]:
    """The API of the engine."""
    with EngineApi(engine.socket) as made:
        yield made


@pytest.fixture(scope="module")
def volume(engine: PrivateEngine, volume_image: str) -> Iterator[None]:
    """The container whose volume holds the gate."""
    engine.docker("create", "--name", VOLUME_CONTAINER, volume_image)
    yield
    engine.docker("rm", "-v", VOLUME_CONTAINER)


@pytest.fixture(scope="module")
def network(engine: PrivateEngine, api: EngineApi) -> Iterator[str]:
    """A network mode: that of a container in which ethwe is ready."""
    waits = {"Image": images.BUSYBOX, "Cmd": ["cat"], "OpenStdin": True, "Hostname": "h"}
    with api.container({**waits, "HostConfig": {"NetworkMode": "none"}}) as holder:
        assert not holder.start()
        boxes.attach(engine, holder.state()["Pid"])
        yield f"container:{holder.id}"


@pytest.fixture(scope="module")
def probe_image(engine: PrivateEngine) -> str:
    """Busybox's root, and /probe, which prints all that a process can see of itself."""
    root = roots.with_files(images.busybox_root(), {"probe": compiled("self")})
    return images.import_image(engine, "wfw-probe", root=root)
