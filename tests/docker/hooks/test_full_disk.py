"""No room for the addresses that are given: the client is told so, and may try again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support import images
from tests.support.engine import PrivateEngine
from tests.support.launched import launched
from waitforweave.launch.on_host import STATE_FOLDER

RUN = ("run", "--rm", "-e", "WEAVE_CIDR=10.2.1.5/24", images.BUSYBOX, "true")


@contextmanager
def small_disk(engine: PrivateEngine) -> Iterator[None]:
    """Where processes of the host keep the addresses: a file system with room for little."""
    was_there = STATE_FOLDER.exists()
    STATE_FOLDER.mkdir(exist_ok=True)
    mount = ("mount", "-t", "tmpfs", "-o", "size=256k", "wfw-test", str(STATE_FOLDER))
    subprocess.run([*engine.enter(), *mount], check=True)
    try:
        yield
    finally:
        subprocess.run([*engine.enter(), "umount", str(STATE_FOLDER)], check=True)
        if not was_there:
            STATE_FOLDER.rmdir()


def test_the_disk_of_the_addresses_full(engine, volume_image):
    socket, enter = engine.root / "full" / "d.sock", engine.enter()
    filler = str(STATE_FOLDER / "filler")
    with small_disk(engine), launched(engine, socket, "--host-process", enter=enter) as client:
        subprocess.run(
            [*enter, "dd", "if=/dev/zero", f"of={filler}"], stderr=subprocess.DEVNULL, check=False
        )
        refused = client.docker(*RUN, check=False)
        assert refused.code != 0
        assert "cannot be kept: " in refused.err
        assert "full" in refused.err
        subprocess.run([*enter, "rm", filler], check=True)
        assert client.docker(*RUN).code == 0
