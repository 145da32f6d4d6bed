"""The way out of the tool altogether, as docs/launch.md shows it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import images
from tests.support.documented import block_under, run_in
from tests.support.engine import PrivateEngine
from tests.support.launched import ROOT, make_image
from tests.support.traces import traces

PAGE = (ROOT / "docs" / "launch.md").read_text()
PROXY = {"DOCKER_HOST": "unix:///run/weavewait/docker.sock"}


@pytest.fixture
def image_again(engine: PrivateEngine, volume_image: str) -> Iterator[None]:
    """Other tests want it."""
    yield
    make_image(engine)


def test_nothing_is_left_on_the_engine_nor_on_the_host(engine, image_again):
    before = traces(engine)
    gated = (
        f"docker run -d -e WEAVE_CIDR= --name web {images.BUSYBOX} sleep 999",
        f"docker run -e WEAVE_CIDR=10.2.1.5/24 --name job {images.BUSYBOX} true",
        "docker commit web my-app",
    )
    used = run_in(engine, "\n".join(["weavewait launch", *gated]), **PROXY)
    assert used.returncode == 0, used.stderr
    # What the page says of an image that is left: the gate is its entrypoint, and not in it.
    refused = engine.docker("run", "--rm", "my-app", check=False)
    assert refused.code == 127
    assert "/home/weavewait/wait-for-weave: no such file or directory" in refused.err
    left = run_in(engine, block_under(PAGE, "Removal"), **PROXY)
    assert left.returncode == 0, left.stderr
    assert block_under(PAGE, "Gated containers and stop").replace("    ", "") in left.stdout
    assert "docker run --entrypoint sleep wfw-busybox 999" in left.stdout
    engine.docker("rm", "-v", "job")
    assert traces(engine) == before
    ours = "label=org.opencontainers.image.title=wait-for-weave"
    assert engine.docker("image", "ls", "-q", "--filter", ours).out == ""
