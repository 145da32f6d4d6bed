"""testcontainers-python, as a test suite of somebody's uses it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support import images

SCRIPT = f"""
from testcontainers.core.container import DockerContainer
from testcontainers.core.waiting_utils import wait_for_logs

serve = "echo serving; while :; do echo hello | nc -l -p 80; done"
gated = DockerContainer("{images.BUSYBOX}").with_env("WEAVE_CIDR", "10.2.1.7/24")
plain = DockerContainer("{images.BUSYBOX}").with_exposed_ports(80)
with gated.with_command("sleep 600"), plain.with_command(["sh", "-c", serve]):
    print(gated.exec(["sh", "-c", "ip -4 -o addr show dev ethwe"]).output.decode())
    print(plain.exec(["ls", "/sys/class/net"]).output.decode())
    wait_for_logs(plain, "serving", timeout=60)
    print("port", int(plain.get_exposed_port(80)) > 0)
"""


def test_two_containers_of_which_one_is_gated(gated):
    pytest.importorskip("testcontainers", reason="python -m pip install '.[engines]'")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        # Its reaper is an image that only a registry has.
        env=gated.environment(TESTCONTAINERS_RYUK_DISABLED="true"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    address, interfaces, port = done.stdout.strip().split("\n\n")[:3]
    assert " 10.2.1.7/24 " in address
    assert interfaces.split() == ["eth0", "lo"]
    assert port == "port True"
    assert gated.docker("ps", "-q", "--filter", f"ancestor={images.BUSYBOX}").out == ""
