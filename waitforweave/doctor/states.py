"""How a gated container is doing, and what to do next. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from waitforweave.docker.create import GATE
from waitforweave.doctor.check import docker, log_of, typed
from waitforweave.doctor.facts import Unseen
from waitforweave.doctor.story import Story
from waitforweave.hooks.status import Row

# The gate's last words, as text or as JSON; with the second the command ran all the same.
GAVE_UP = re.compile(r'not ready after|will not become ready|"event": "(?:timeout|hopeless)"')
RAN_ALL_THE_SAME = "running the command all the same"
SIGKILL = 128 + 9
ANEW = "make it anew"
LISTEN = "unix:///run/weavewait/docker.sock"
# What is to be mended where the gate has ended a container, by its exit code.
WRONG = {
    2: f"correct the option, variable or label that it names, and {ANEW}",
    125: "docs/errors.md has the cure for that",
    126: f"correct the command, or what the image has in its place, and {ANEW}",
    127: f"correct the command, or put the program into the image, and {ANEW}",
}
LONGER = "let it wait longer: --label weavewait.timeout=N (seconds; 0: for ever)"


@dataclass(frozen=True)
class Now:
    """`said` is what it does, `todo` what a person may."""

    said: str
    todo: list[str] = field(default_factory=list)


def now_of(story: Story, engine: str) -> Now:
    state = story.container["State"]
    if state["Status"] == "created":
        return created(story, engine)
    if not state.get("Pid"):
        return ended(story, engine)
    return running(story, engine)


def name_of(story: Story) -> str:
    return str(story.container["Name"].lstrip("/"))


def created(story: Story, engine: str) -> Now:
    """Never started, or the engine could not."""
    if story.container["State"].get("Error"):
        return refused(story, engine)
    return Now("it was not started yet", [f"docker start {name_of(story)}"])


def refused(story: Story, engine: str) -> Now:
    """The engine could not start it. Where it misses the gate, nobody has mounted that."""
    error = story.container["State"]["Error"]
    if GATE not in error:
        todo = [f"correct what the engine names, and {ANEW}", typed("doctor", engine)]
        return Now(f"it could not be started: {error}", todo)
    settings = story.launch.settings
    first = [] if settings else [typed("launch", engine)]
    where = settings.listen[0] if settings else LISTEN
    image = story.container["Config"]["Image"]
    said = "it was made straight at the engine, of a gated image, and has no gate: "
    todo = [
        *(*first, f"export DOCKER_HOST={where}, and {ANEW}"),
        f"or have it without the gate: {typed(f'unwrap {image}', engine)}",
    ]
    return Now(said + error, todo)


def running(story: Story, engine: str) -> Now:
    row, doctor = story.row, typed("doctor", engine)
    if isinstance(row, Unseen):
        return Now(f"it runs; whether its gate still waits is not seen: {row.why}", [doctor])
    if row is None or row.state == "unknown":
        return Now("it runs; the hook server cannot see whether its gate still waits", [doctor])
    if row.state == "ready":
        took = "" if row.took is None else f", {row.took:.2f} s after its start"
        return Now(f"its command runs{took}: the gate is gone")
    return waiting(story, row, engine)


def waiting(story: Story, row: Row, engine: str) -> Now:
    """Its gate is there still."""
    log = log_of(story.launch, engine)
    if row.state == "failed":
        return Now(
            f"its gate waits in vain: {row.reason}",
            [f"docs/errors.md has the cure for that; the server tries again by itself; {log}"],
        )
    if not row.addresses:
        return Now("its gate waits, and nothing was attached yet", [typed("doctor", engine), log])
    return Now(
        "its gate waits, though it is attached: what it misses is said above",
        ["give it that, or make it anew with other options of the gate", LONGER],
    )


def ended(story: Story, engine: str) -> Now:
    """By the gate, by a signal, or by its command."""
    state = story.container["State"]
    code, log = state.get("ExitCode"), "\n".join(story.gate_log)
    again = f"docker start {name_of(story)}, once {typed('doctor', engine)} says ok"
    if state.get("Error"):
        return refused(story, engine)
    if GAVE_UP.search(log) and RAN_ALL_THE_SAME not in log:
        return Now(f"its gate gave up (exit code {code}): see the log below", [again, LONGER])
    if code == SIGKILL and any("not attached" in line for line in story.hooks_log[-3:]):
        todo = ["docs/errors.md has the cure for its reason", again]
        return Now("it was killed, since it could not be attached: see the log below", todo)
    if "wait-for-weave: " in log and code in WRONG:
        said = f"its gate ended it (exit code {code}): see the log below"
        return Now(said, [WRONG[code]])
    said = f"it ended with exit code {code}; its gate did not give up"
    return Now(said, [docker(f"logs {name_of(story)}", engine)])
