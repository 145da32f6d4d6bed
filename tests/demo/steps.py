"""The steps of the demo. Each says what it does, does it with `docker`, and checks the outcome."""

from __future__ import annotations

from tests.demo.stage import Stage, Step

NO_WAIT = r"network took 0 ms"


def seed_example(stage: Stage) -> None:
    """The article's example: the program finds its network there when it starts."""
    out = stage.docker(
        *("run", "--rm", "-e", "WEAVE_CIDR=10.255.0.51/8"),
        *(stage.image("example"), "hello", "world"),
    )
    stage.expect(out, NO_WAIT, r"ethwe has 10\.255\.0\.51/8", r"arguments: hello world")


def seed_remap(stage: Stage) -> None:
    """The article's remap: the image's own entrypoint runs, as PID 1, with the arguments."""
    out = stage.docker(
        *("run", "--rm", "-e", "WEAVE_CIDR=10.255.0.52/8"),
        *(stage.image("script"), "--fruit", "apples"),
    )
    stage.expect(out, r"script\.sh runs as PID 1 with: --fruit apples")


def two_containers(stage: Stage) -> None:
    """Two containers reach each other over ethwe by their addresses."""
    homes = {stage.name("north"): "10.2.1.1", stage.name("south"): "10.2.1.2"}
    for name, address in homes.items():
        stage.docker(
            *("run", "-d", "--name", name, "-e", f"WEAVE_CIDR={address}/24"),
            *(stage.image("plain"), "sleep", "600"),
        )
    north, south = homes
    for name, other in ((north, homes[south]), (south, homes[north])):
        out = stage.docker("exec", name, "ping", "-c", "1", "-W", "5", "-q", other)
        stage.expect(
            "\n".join(line for line in out.splitlines() if "received" in line),
            r"1 packets transmitted, 1 packets received, 0% packet loss",
        )


def empty_cidr(stage: Stage) -> None:
    """An empty WEAVE_CIDR: the container gets a free address by itself."""
    out = stage.docker("run", "--rm", "-e", "WEAVE_CIDR=", stage.image("example"))
    stage.expect(out, NO_WAIT, r"ethwe has 10\.(3[2-9]|4[0-7])\.\d+\.\d+/12", r"arguments: ")


def untouched(stage: Stage) -> None:
    """A container without WEAVE_CIDR is not touched: no gate, no volume, no ethwe."""
    name = stage.name("untouched")
    stage.docker("run", "-d", "--name", name, stage.image("plain"), "sleep", "600")
    shape = "{{.Path}} {{.Args}} {{.HostConfig.VolumesFrom}}"
    stage.expect(stage.docker("inspect", "--format", shape, name), r"sleep \[600\] \[\]")
    stage.expect(stage.docker("exec", name, "ls", "/sys/class/net"), r"eth0", r"lo")


def restart(stage: Stage) -> None:
    """docker restart: the container is attached again before its program runs."""
    name = stage.name("again")
    stage.docker(
        *("run", "-d", "--name", name, "-e", "WEAVE_CIDR=10.2.1.3/24"),
        *(stage.image("example"), "round"),
    )
    stage.docker("wait", name)
    stage.docker("restart", "-t", "0", name)
    stage.docker("wait", name)
    once = (NO_WAIT, r"ethwe has 10\.2\.1\.3/24", r"arguments: round")
    stage.expect(stage.docker("logs", name), *once, *once)


STEPS: tuple[Step, ...] = (
    seed_example,
    seed_remap,
    two_containers,
    empty_cidr,
    untouched,
    restart,
)
