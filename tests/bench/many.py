"""Many gated containers started at once, beside as many plain ones in the same run.

.venv/bin/python -m tests.bench.many
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from tests.bench.table import Row, show
from tests.support import images
from tests.support.engine import PrivateEngine
from tests.support.launched import launched, make_image, weavewait
from waitforweave.launch.on_host import Folders

MANY = 200
CALL_SECONDS = 120.0
PLAIN = {"Image": images.BUSYBOX, "Cmd": ["sleep", "600"]}
GATED = {**PLAIN, "Env": ["WEAVE_CIDR=net:10.77.0.0/16"]}
BUCKET = re.compile(r'^weavewait_attach_seconds_bucket\{le="(.+)"\} (\S+)$', re.MULTILINE)
Buckets = Sequence[tuple[float, float]]


def rows() -> list[Row]:
    """Wall time of both kinds, and how long the attaches took by the hook server's histogram."""
    with PrivateEngine() as engine:
        images.import_image(engine, images.BUSYBOX, cmd=["sh"])
        make_image(engine)
        socket = engine.root / "ours" / "d.sock"
        with launched(engine, socket, "--host-process", enter=engine.enter()):
            plain = asyncio.run(started(engine.socket, PLAIN))
            # The others shall start beside none, as these did.
            remove_all(engine)
            gated = asyncio.run(started(socket, GATED))
            require_correct(engine)
            buckets = histogram(engine)
            remove_all(engine)
    what = f"{MANY} containers at once"
    return [
        Row(f"{what}: plain", plain),
        Row(f"{what}: gated", gated, plain, "<= 1.15"),
        Row(f"{what}: attach, p50", quantile(buckets, 0.50)),
        Row(f"{what}: attach, p99", quantile(buckets, 0.99)),
    ]


async def started(socket: Path, body: Mapping[str, object]) -> float:
    """Milliseconds until all are started; all calls go out at once, as the API has them."""
    # No limit: httpx would let 100 through.
    transport = httpx.AsyncHTTPTransport(uds=str(socket), limits=httpx.Limits())
    async with httpx.AsyncClient(
        base_url="http://engine", transport=transport, timeout=CALL_SECONDS
    ) as client:

        async def run() -> None:
            made = await client.post("/containers/create", json=body)
            made.raise_for_status()
            answer = await client.post(f"/containers/{made.json()['Id']}/start")
            answer.raise_for_status()

        begun = time.perf_counter()
        await asyncio.gather(*[run() for _ in range(MANY)])
        return 1000 * (time.perf_counter() - begun)


def require_correct(engine: PrivateEngine) -> None:
    """Each one runs its command, with an address that no other has. RuntimeError."""
    said = weavewait("status", "--engine", engine.url, "--json", enter=engine.enter())
    containers = json.loads(said.out)["containers"]
    ready = [each for each in containers if each["state"] == "ready"]
    given = {address for each in ready for address in each["addresses"]}
    if not len(ready) == len(given) == MANY:
        raise RuntimeError(f"{len(ready)} of {MANY} are ready, with {len(given)} addresses")


def remove_all(engine: PrivateEngine) -> None:
    """All that run; the volume container never does."""
    engine.docker("rm", "-f", *engine.docker("ps", "-q").out.split())


def histogram(engine: PrivateEngine) -> Buckets:
    """Upper bounds in seconds, and how many attaches took at most that."""
    hooks = Folders.of(engine.url).hooks_url.removeprefix("unix://")
    # Its /run is the engine's own.
    path = f"/proc/{engine.init.pid}/root{hooks}"
    with httpx.Client(transport=httpx.HTTPTransport(uds=path)) as client:
        text = client.get("http://hooks/metrics").text
    return [(float(bound), float(count)) for bound, count in BUCKET.findall(text)]


def quantile(buckets: Buckets, share: float) -> float:
    """Milliseconds, as Prometheus' histogram_quantile has it: linear inside of a bucket."""
    wanted = share * buckets[-1][1]
    low, below = 0.0, 0.0
    for bound, count in buckets:
        if count >= wanted:
            return 1000 * (low + (bound - low) * (wanted - below) / (count - below))
        low, below = bound, count
    raise AssertionError("the last bucket holds all")


if __name__ == "__main__":
    print(show(rows()))
