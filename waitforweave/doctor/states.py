"""How a gated container is doing, and what to do next. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from waitforweave.doctor.check import docker, log_of, typed
from waitforweave.doctor.facts import Unseen
from waitforweave.doctor.story import Story
from waitforweave.hooks.status import Row

# The gate's last words, as text or as JSON; with the second the command ran all the same.
GAVE_UP = re.compile(r'not ready after|will not become ready|"event": "(?:timeout|hopeless)"')
RAN_ALL_THE_SAME = "running the command all the same"
SIGKILL = 128 + 9
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
    error = story.container["State"].get("Error")
    if error:
        return Now(f"it could not be started: {error}", [typed("doctor", engine)])
    return Now("it was not started yet", [f"docker start {name_of(story)}"])


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
        return Now(f"it could not be started: {state['Error']}", [typed("doctor", engine)])
    if GAVE_UP.search(log) and RAN_ALL_THE_SAME not in log:
        return Now(f"its gate gave up (exit code {code}): see the log below", [again, LONGER])
    if code == SIGKILL and any("not attached" in line for line in story.hooks_log[-3:]):
        todo = ["docs/errors.md has the cure for its reason", again]
        return Now("it was killed, since it could not be attached: see the log below", todo)
    if "wait-for-weave: " in log and code in (2, 125, 126, 127):
        return Now(f"its gate ended it (exit code {code}): see the log below", [])
    said = f"it ended with exit code {code}; its gate did not give up"
    return Now(said, [docker(f"logs {name_of(story)}", engine)])
