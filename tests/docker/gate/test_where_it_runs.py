"""Real containers: each root with each of what people switch on, from the wait to the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.docker.gate import boxes, roots
from tests.support import debs, images
from tests.support.engine import PrivateEngine
from tests.support.engine_api import EngineApi

# What the engine masks by itself, and what a cautious one may mask too.
MASKED = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware", "/proc/sys"]
NETLINK = 16


def refusing(error: str) -> str:
    """SecurityOpt: a profile by which no netlink socket is to be had."""
    rule = {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": ERRNOS[error],
            "args": [{"index": 0, "value": NETLINK, "op": "SCMP_CMP_EQ"}]}  # fmt: skip
    return "seccomp=" + json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]})


ERRNOS = {"EPERM": 1, "EAFNOSUPPORT": 97}
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "--read-only": {"host": {"ReadonlyRootfs": True}},
    "--user 1000:1000": {"User": "1000:1000"},
    "--cap-drop ALL": {"host": {"CapDrop": ["ALL"]}},
    "no-new-privileges": {"host": {"SecurityOpt": ["no-new-privileges"]}},
    "--network none": {"host": {"NetworkMode": "none"}},
    "--init": {"host": {"Init": True}},
    "--tmpfs /tmp:noexec": {"host": {"Tmpfs": {"/tmp": "noexec"}}},
    "no /proc/sys": {"host": {"MaskedPaths": MASKED}},
    "netlink refused": {"host": {"SecurityOpt": [refusing("EPERM")]}},
    "netlink unknown": {"host": {"SecurityOpt": [refusing("EAFNOSUPPORT")]}},
}


def all_at_once() -> dict[str, Any]:
    host: dict[str, Any] = {}
    for options in OPTIONS.values():
        host |= options.get("host", {})
    host["SecurityOpt"] = ["no-new-privileges", refusing("EPERM")]
    return {"User": "1000:1000", "host": host}


OPTIONS["all at once"] = all_at_once()


SHELL = ["sh", "-c", 'exec /address "$@"', "sh", "a b"]
ROOTS: dict[str, tuple[Callable[[], bytes], list[str]]] = {
    "scratch": (roots.scratch, ["/address", "a b"]),
    "busybox": (roots.busybox, SHELL),
    "musl": (roots.musl, ["/address", "a b"]),
    "glibc of bullseye": (partial(roots.glibc, "bullseye"), SHELL),
    "glibc of bookworm": (partial(roots.glibc, "bookworm"), SHELL),
    "glibc of trixie": (partial(roots.glibc, "trixie"), SHELL),
}


@pytest.fixture(scope="module")
def image(engine: PrivateEngine) -> Callable[[str], str]:
    """The image of a root of this name."""
    made: dict[str, str] = {}

    def image_of(root: str) -> str:
        if root not in made:
            try:
                content = ROOTS[root][0]()
            except debs.NotToBeHadError as error:
                pytest.skip(f"{root}: {error}")
            name = f"wfw-root-{root.replace(' ', '-')}"
            made[root] = images.import_image(
                engine, name, root=content, env={"PATH": "/usr/bin:/bin"}
            )
        return made[root]

    return image_of


@pytest.mark.usefixtures("volume")
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("root", ROOTS)
def test_it_waits_and_becomes_the_command(
    engine: PrivateEngine, api: EngineApi, image: Callable[[str], str], root: str, options: str
) -> None:
    plain = boxes.body(image(root), *ROOTS[root][1], **OPTIONS[options])
    with api.container(boxes.gated(plain)) as container:
        assert not container.start()
        state = container.state()
        assert state["Running"], container.wait()
        boxes.attach(engine, state["Pid"])
        ended = container.wait()
    every = options == "all at once"
    uid = 1000 if every or "user" in options else 0
    netlink = "no" if every or options.startswith("netlink") else "yes"
    sys = "no" if every or options == "no /proc/sys" else "yes"
    assert ended.out == f"10.2.1.5 uid={uid} netlink={netlink} sys={sys} argv=/address,a b\n"
    assert (ended.code, ended.err) == (3, "")


@pytest.mark.usefixtures("volume")
@pytest.mark.parametrize("root", ROOTS)
def test_without_the_gate_it_would_come_too_early(
    api: EngineApi, image: Callable[[str], str], root: str
) -> None:
    ended = api.run(boxes.body(image(root), *ROOTS[root][1]))
    assert (ended.code, ended.out) == (1, "no address: No such device\n")
