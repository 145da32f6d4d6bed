"""A new version beside containers that an older one has gated: what docs/launch.md shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import images
from tests.support.docker_cli import Result
from tests.support.documented import block_under, run_in
from tests.support.engine import PrivateEngine
from tests.support.launched import ROOT

BLOCK = block_under((ROOT / "docs" / "launch.md").read_text(), "Upgrade")
PROXY = "unix:///run/weavewait/docker.sock"
# An older version: its gate's volume has a file more, by which it is known.
OLDER = b"""FROM weavewait:latest AS current
FROM scratch
COPY --from=current / /
COPY --from=wfw-busybox /bin/busybox /home/weavewait/older
VOLUME /home/weavewait
ENTRYPOINT ["/opt/weavewait/weavewait"]
CMD ["volume"]
"""
NAMES = ("running", "stopped", "policy")
# Compose hands a container's volumes on to the one that it makes in its place.
COMPOSE = f"""version: "3"
services:
  composed:
    image: {images.BUSYBOX}
    container_name: composed
    network_mode: bridge
    command: [sleep, "999"]
    environment: ["WEAVE_CIDR="]
"""
PROJECT = "wfw-upgrade"


class Host:
    """The engine's host: a person's shell there."""

    def __init__(self, engine: PrivateEngine) -> None:
        self.engine = engine

    def sh(self, script: str, **environ: str) -> Result:
        done = run_in(self.engine, script, **environ)
        return Result(done.returncode, done.stdout, done.stderr)

    def client(self, *words: str) -> str:
        """The docker client, at our proxy."""
        done = self.sh(f"docker {' '.join(words)}", DOCKER_HOST=PROXY)
        assert done.code == 0, done.err
        return done.out

    def up(self, file: Path, *options: str) -> None:
        """By the client's own compose; docker-compose 1.29 makes nothing anew on 28.5."""
        own = self.sh("docker compose version").code == 0
        compose = "docker compose" if own else "docker-compose --no-ansi"
        words = f"{compose} -p {PROJECT} -f {file} up -d --timeout 0 {' '.join(options)}"
        done = self.sh(words, DOCKER_HOST=PROXY)
        assert done.code == 0, done.err

    def gate_is_older(self, container: str) -> bool:
        said = self.engine.docker("exec", container, "ls", "/home/weavewait").out.split()
        assert "wait-for-weave" in said
        return "older" in said

    def ethwe(self, container: str) -> str:
        """Its addresses, and the number of the interface: another one's is another."""
        return self.engine.docker("exec", container, "ip", "-4", "-o", "addr", "show", "ethwe").out


@pytest.fixture(scope="module", params=["", "--host-process"], ids=["containers", "processes"])
def host(request, engine: PrivateEngine, volume_image: str) -> Iterator[tuple[Host, str]]:
    """An older version launched, and what it has gated: running, stopped, with a restart policy.
    The image's name is the current version's again."""
    current = engine.docker("image", "inspect", "-f", "{{.Id}}", volume_image).out.strip()
    engine.docker("build", "-q", "-t", volume_image, "-", stdin=OLDER)
    host, options = Host(engine), request.param
    try:
        launched = host.sh(f"weavewait launch {options}")
        assert launched.code == 0, launched.err
        engine.docker("tag", current, volume_image)
        for name in NAMES:
            policy = "--restart always" if name == "policy" else ""
            words = f"run -d {policy} --name {name} -e WEAVE_CIDR= {images.BUSYBOX} sleep 999"
            host.client(words)
        engine.docker("stop", "-t", "0", "stopped")
        engine.docker("commit", "running", "wfw-committed")
        yield host, options
    finally:
        stopped = host.sh("weavewait stop")
        assert stopped.code == 0, stopped.err
        mark = f"label=com.docker.compose.project={PROJECT}"
        composed = engine.docker("ps", "-aq", "--filter", mark).out.split()
        engine.docker("rm", "-f", "-v", *NAMES, *composed, check=False)
        engine.docker("image", "rm", "-f", "wfw-committed", check=False)
        engine.docker("tag", current, volume_image)


def address(shown: str) -> str:
    (found,) = re.findall(r"inet (\S+)", shown)
    return str(found)


def test_another_image_of_the_same_name_is_told_and_nothing_is_changed(host):
    there, options = host
    before = there.engine.docker("ps", "-aq", "--no-trunc").out
    refused = there.sh(f"weavewait launch {options}")
    assert refused.code == 1
    assert "the container weavewait is of another image (weavewait:latest, " in refused.err
    assert "; --replace puts this one in its place" in refused.err
    assert there.engine.docker("ps", "-aq", "--no-trunc").out == before


def test_another_network_is_refused(host):
    there, options = host
    refused = there.sh(f"weavewait launch {options} --replace --subnet 10.99.0.0/16")
    assert refused.code == 1
    assert refused.err.splitlines()[-1].startswith(
        "weavewait launch: --replace keeps the network as it is: subnet is 10.32.0.0/12, not "
        "10.99.0.0/16; first: weavewait stop --engine "
    )


def test_a_replacement_that_does_not_start_leaves_what_was_there(host):
    """Another image has its name by now: it comes back by its id."""
    there, options = host
    before = there.ethwe("running")
    listen = "--listen unix:///var/run/docker.sock"
    failed = there.sh(f"weavewait launch {options} --replace {listen}")
    assert failed.code == 1
    last = failed.err.splitlines()[-1]
    assert "/var/run/docker.sock: somebody listens there already" in last
    assert last.endswith("; what was launched before runs again")
    assert there.ethwe("running") == before
    run = f"run -d --name another -e WEAVE_CIDR= {images.BUSYBOX} sleep 99"
    there.client(run)
    assert there.gate_is_older("another")
    there.engine.docker("rm", "-f", "-v", "another")


def test_what_was_gated_goes_on_and_what_comes_is_gated_anew(host, tmp_path):
    there, options = host
    engine = there.engine
    file = tmp_path / "compose.yml"
    file.write_text(COMPOSE)
    there.up(file)
    assert there.gate_is_older("composed")
    before = {name: there.ethwe(name) for name in ("running", "policy")}
    # As a person has it: all of it through the older proxy.
    script = BLOCK.replace("--replace", f"--replace {options}")
    if options:
        # The image is there; once is enough to make it.
        script = script.replace("make image", "true")
    done = there.sh(script, DOCKER_HOST=PROXY, DOCKER_BUILDKIT="0")
    assert done.code == 0, done.out + done.err
    # Not attached again: never without.
    assert there.ethwe("running") == before["running"]
    engine.docker("start", "stopped")
    engine.docker("restart", "-t", "0", "policy")
    for name in NAMES:
        assert there.gate_is_older(name), name
    there.up(file, "--force-recreate")
    assert not there.gate_is_older("composed")
    engine.docker("rm", "-f", "-v", "composed")
    ls = "ls /home/weavewait"
    for image in (images.BUSYBOX, "wfw-committed"):
        assert "older" not in there.client(f"run --rm -e WEAVE_CIDR= {image} {ls}").split()
    for name in NAMES:
        there.client(f"exec {name} /home/weavewait/wait-for-weave --timeout 60 true")
    assert address(there.ethwe("policy")) == address(before["policy"])
    assert len({address(there.ethwe(name)) for name in NAMES}) == len(NAMES)
    volumes = engine.docker("volume", "ls", "-q").out.split()
    engine.docker("rm", "-f", "-v", *NAMES)
    # The older gate's volume went with the last one that had it.
    assert len(engine.docker("volume", "ls", "-q").out.split()) == len(volumes) - 1
