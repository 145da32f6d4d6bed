"""The files of docs/examples, run as they stand: on an engine where our images have usual names."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import debs, images
from tests.support.compiled import compiled
from tests.support.docker_cli import DockerCli, Result
from tests.support.engine import PrivateEngine
from tests.support.launched import ROOT

EXAMPLES = ROOT / "docs" / "examples"
SECONDS = 120
# Redis of Debian, and all that it loads.
REDIS = (
    *("redis-tools", "redis-server", "libatomic1", "libc6", "libjemalloc2", "liblzf1", "libssl3"),
    *("libsystemd0", "libhiredis0.14", "liblua5.1-0", "lua-bitop", "lua-cjson", "libgcc-s1"),
    *("libcap2", "libgcrypt20", "liblz4-1", "liblzma5", "libzstd1", "libgpg-error0", "libstdc++6"),
)


class Compose:
    """docker-compose with the file of one example, as one project."""

    def __init__(self, client: DockerCli, example: str) -> None:
        self.client = client
        self.words = ["docker-compose", "--no-ansi", "-p", f"wfw-{example}"]
        self.words += ["-f", str(EXAMPLES / example / "compose.yml")]

    def __enter__(self) -> Compose:
        return self

    def __exit__(self, *_: object) -> None:
        self("down", "--timeout=0", "--volumes")

    def __call__(self, *words: str, **variables: str) -> Result:
        done = subprocess.run(
            [*self.words, *words],
            env=self.client.environment(VPN_IMAGE="wfw-vpn") | variables,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def container(self, service: str) -> str:
        return self("ps", "-q", service).out.strip()

    def logs_to_the_end(self, service: str) -> str:
        """What a service said, once it has ended by itself; it must have ended well."""
        container = self.container(service)
        ended = self.client.docker("wait", container, timeout=SECONDS)
        logs = self.client.docker("logs", container)
        assert ended.out == "0\n", logs.out + logs.err
        return logs.out


@pytest.fixture(scope="module")
def busybox(engine: PrivateEngine) -> Iterator[None]:
    """The image that the examples name."""
    images.import_image(engine, "busybox", cmd=["sh"])
    yield
    engine.docker("rmi", "busybox")


@pytest.fixture(scope="module")
def vpn(engine: PrivateEngine) -> Iterator[None]:
    """A sidecar that makes tun0 when a line comes on its stdin."""
    program = Path(compiled("tun")).read_bytes()
    root = images.busybox_root({"bin/tun": program})
    images.import_image(engine, "wfw-vpn", root=root, entrypoint=["tun", "tun0", "10.8.0.2/24"])
    yield
    engine.docker("rmi", "wfw-vpn")


@pytest.fixture(scope="module")
def redis(engine: PrivateEngine) -> Iterator[None]:
    """Debian's Redis, in a root with a shell."""
    try:
        root = debs.root(debs.codename(), *REDIS, "busybox-static")
    except debs.NotToBeHadError as error:
        pytest.skip(f"no Redis of this suite to be had: {error}")
    images.import_image(engine, "redis-root", root=root)
    built = engine.docker(
        *("build", "-t", "redis", "-"),
        stdin=b'FROM redis-root\nRUN ["/bin/busybox", "--install", "-s", "/bin"]\n',
    )
    assert "Successfully tagged redis" in built.out
    yield
    engine.docker("rmi", "redis", "redis-root")


@pytest.fixture(scope="module")
def volume_container(engine: PrivateEngine, volume_image: str) -> Iterator[str]:
    """The container weavewait, as the examples say to create it, without a launch."""
    engine.docker("create", "--name", "weavewait", volume_image)
    yield "weavewait"
    engine.docker("rm", "-v", "weavewait")


# What the tool keeps between its runs lies with the engine, not on the machine of the tests.
ON_ITS_OWN = """
mkdir -p "$0" /var/lib/weavewait
mount --bind "$0" /var/lib/weavewait
exec sh -ec "$1"
"""


def shell(engine: PrivateEngine, script: str, **variables: str) -> Result:
    """sh(1) on the engine's machine, `weavewait` on its PATH; stops at the first failure."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    words = ["unshare", "--mount", "env", "-u", "DOCKER_HOST", "sh", "-ec", ON_ITS_OWN]
    done = subprocess.run(
        [*engine.enter(), *words, str(engine.root / "state"), script],
        cwd=ROOT,
        env={**os.environ, "PATH": path, **variables},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)
