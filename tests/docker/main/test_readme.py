"""What the README shows is what a person types: each line of it is run here, as it stands."""

from __future__ import annotations

import re

import pytest

from tests.support import images
from tests.support.documented import block_under, run_in
from tests.support.launched import ROOT

README = (ROOT / "README.md").read_text()


def test_with_your_own_engine(engine):
    images.import_image(engine, "your-image", cmd=["ip", "-4", "-o", "addr", "show", "ethwe"])
    script = block_under(README, "With your own engine").replace("YOUR-IMAGE", "your-image")
    result = run_in(engine, script)
    assert result.returncode == 0, result.stderr
    assert "export DOCKER_HOST=unix:///run/weavewait/docker.sock\n" in result.stdout
    assert "inet 10.2.1.5/24" in result.stdout
    assert engine.docker("ps", "-aq").out == ""


def test_alone(engine, tmp_path):
    program = tmp_path / "your-program"
    program.write_text('#!/bin/sh\necho "your program: $*"\n')
    program.chmod(0o755)
    setup = f'PATH="{ROOT}/dist/wait-for-weave:{tmp_path}:$PATH"\nip link add ethwe type bridge\n'
    setup += "ip addr add 10.2.1.5/24 dev ethwe\nip link add far type veth peer name near\n"
    setup += "ip link set near master ethwe up\nip link set far up\nip link set ethwe up\n"
    script = f"unshare --net sh -ec '{setup}{block_under(README, 'Alone')}'"
    result = run_in(engine, script)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "your program: --its-option\nthe network is there\n"


def test_alone_in_an_image(engine, volume_image):
    """The Dockerfile's lines, and a tunnel that comes to the container from outside."""
    (lines,) = re.findall(r"^In an image:\n\n((?:    .*\n)+)", README, re.MULTILINE)
    dockerfile = "FROM wfw-busybox\n" + lines.replace("your-program", "ip").replace("    ", "")
    engine.docker("build", "-t", "wfw-readme", "-", stdin=dockerfile.encode())
    words = ["run", "-d", "--network=none", "wfw-readme", "ip", "-4", "-o", "addr", "show", "tun0"]
    container = engine.docker(*words).out.strip()
    pid = engine.docker("inspect", "--format", "{{.State.Pid}}", container).out.strip()
    tunnel = ["link add tun0 type veth peer name far", "link set far up"]
    tunnel += ["addr add 10.8.0.2/24 dev tun0", "link set tun0 up"]
    tunnel += ["route add default dev tun0"]
    result = run_in(engine, "\n".join(f"nsenter -t {pid} -n ip {line}" for line in tunnel))
    assert result.returncode == 0, result.stderr
    assert engine.docker("wait", container).out == "0\n"
    assert "10.8.0.2/24" in engine.docker("logs", container).out
    engine.docker("rm", container)
    engine.docker("rmi", "wfw-readme")


@pytest.mark.parametrize("page", ["README.md", *sorted(p.name for p in ROOT.glob("docs/*.md"))])
def test_every_link_leads_somewhere(page):
    path = ROOT / page if page == "README.md" else ROOT / "docs" / page
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
        assert (path.parent / target).exists(), f"{page} links to {target}"


def test_every_target_of_make_that_is_shown_exists():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"\bmake ([a-z]+)\b", README):
        if target not in ("git",):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
