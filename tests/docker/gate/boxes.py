"""One container plainly and the same behind the gate, as our hook wraps it."""

from __future__ import annotations

import copy
import subprocess
from typing import Any

from tests.support.engine import PrivateEngine
from tests.support.engine_api import Ended, EngineApi
from waitforweave.docker import create

ADDRESS = "10.2.1.5/24"
ENV = [f"WEAVE_CIDR={ADDRESS}", "WAIT_FOR_SECONDS=20"]


def body(image: str, *command: str, env: list[str] | None = None, **more: Any) -> dict[str, Any]:
    """A request to create a container that may reach the gate's volume; HostConfig by `host`."""
    host = {"VolumesFrom": [create.VOLUMES_FROM], **more.pop("host", {})}
    made = {"Image": image, "Entrypoint": [], "Cmd": list(command), "HostConfig": host}
    return {**made, "Env": ENV + (env or []), **more}


def gated(plain: dict[str, Any]) -> dict[str, Any]:
    """The same with the gate before its command."""
    made = copy.deepcopy(plain)
    assert create.wrap(made, {})
    return made


def both(api: EngineApi, plain: dict[str, Any]) -> tuple[Ended, Ended]:
    """How it ends without the gate and behind it."""
    return api.run(plain), api.run(gated(plain))


def attach(engine: PrivateEngine, pid: int) -> None:
    """ethwe, ready, into the namespace of a process of the engine's."""
    lines = "link add ethwe type veth peer name far\nlink set far up\n"
    lines += f"addr add {ADDRESS} dev ethwe\nlink set ethwe up\n"
    words = [*engine.enter(), "nsenter", "--target", str(pid), "--net", "--", "ip", "-batch", "-"]
    subprocess.run(words, input=lines, text=True, check=True)
