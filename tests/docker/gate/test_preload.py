"""Libraries that the container's loader is to load first go into the command, not into the gate:
our loader could not even satisfy what they need."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.docker.gate import boxes, roots
from tests.support import debs, images
from tests.support.compiled import GLIBC, MUSL, compiled
from tests.support.engine import PrivateEngine
from tests.support.engine_api import EngineApi

Root = Callable[[], bytes]
LIBRARIES: dict[str, tuple[Root, Callable[[], Path]]] = {
    "musl": (roots.musl, partial(compiled, "preload", MUSL, "-shared", "-fPIC")),
    # 2.38 is newer than the bundle's own on the Debian that it was made for.
    "new glibc": (
        partial(roots.glibc, "trixie"),
        partial(compiled, "preload", f"{GLIBC}.2.38", "-shared", "-fPIC", "-DNEW_GLIBC"),
    ),
}
HOW = {
    "LD_PRELOAD": (["LD_PRELOAD=/preload.so"], b""),
    "/etc/ld.so.preload": ([], b"/preload.so\n"),
    "by its name": (["LD_PRELOAD=preload.so", "LD_LIBRARY_PATH=/:/usr/lib"], b""),
}


# musl reads no such file.
CASES = [
    (library, how) for library in LIBRARIES for how in HOW if (library, how[0]) != ("musl", "/")
]


@pytest.mark.usefixtures("volume")
@pytest.mark.parametrize(("library", "how"), CASES)
def test_it_goes_into_the_command_alone(
    engine: PrivateEngine, api: EngineApi, network: str, tmp_path: Path, *, library: str, how: str
) -> None:
    root, make = LIBRARIES[library]
    env, file = HOW[how]
    (tmp_path / "preload").write_bytes(file)
    try:
        content = root()
    except debs.NotToBeHadError as error:
        pytest.skip(str(error))
    files = {"preload.so": make(), "etc/ld.so.preload": tmp_path / "preload"}
    image = images.import_image(engine, "wfw-preloads", root=roots.with_files(content, files))
    body = boxes.body(image, "/address", env=env, host={"NetworkMode": network})
    plain, behind = boxes.both(api, body)
    assert behind == plain
    assert plain.out.splitlines()[0] == "preloaded into address"
    assert plain.code == 3
