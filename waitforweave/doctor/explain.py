"""Why a container is gated or not, what it waits for, and what to do next. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from waitforweave.docker.create import (
    GATE,
    NOT_NAMED,
    VARIABLE,
    VOLUME_CONTAINER,
    Decision,
    Gated,
    LeftAlone,
    decide_inspected,
)
from waitforweave.docker.env import effective
from waitforweave.docker.json_object import Object
from waitforweave.docker.original import is_wrapped
from waitforweave.doctor.check import typed
from waitforweave.doctor.facts import Unseen
from waitforweave.doctor.states import ANEW, LISTEN, Now, now_of
from waitforweave.doctor.story import Story
from waitforweave.gate import arguments
from waitforweave.gate.options import QUIT, SKIP, Options, UsageError
from waitforweave.gate.weave_cidr import WeaveCidrError
from waitforweave.launch.containers import LABEL

OF_THE_GATE = ("WAIT_FOR_",)
QUIT_VARIABLE = "WAIT_FOR_WEAVE_QUIT"


@dataclass(frozen=True)
class Explanation:
    """Each list has a line an entry."""

    name: str
    id: str
    image: str
    state: str
    gated: bool
    why: str
    waits_for: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    attached: str = ""
    now: str = ""
    log: list[str] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)


def explain(story: Story, engine: str) -> Explanation:
    container = story.container
    head = {
        "name": container["Name"].lstrip("/"),
        "id": container["Id"],
        "image": container["Config"]["Image"],
        "state": container["State"]["Status"],
    }
    decision, gated = decision_of(story), container["Path"] == GATE
    if not gated:
        why, todo = why_not(story, decision, engine)
        attached = attached_of(story) if isinstance(decision, Gated) else ""
        log = [*story.hooks_log] if attached else []
        return Explanation(**head, gated=False, why=why, attached=attached, log=log, todo=todo)
    now: Now = now_of(story, engine)
    return Explanation(
        **head,
        gated=True,
        why=why_gated(story, decision),
        waits_for=waits_for(story),
        options=variables(container),
        attached=attached_of(story),
        now=now.said,
        log=[*story.gate_log, *story.hooks_log],
        todo=now.todo,
    )


def decision_of(story: Story) -> Decision | WeaveCidrError:
    """What the hook server decides of it when it starts."""
    settings = story.launch.settings
    everything = settings is not None and settings.gate_all
    try:
        return decide_inspected(story.container, wrapped=everything or is_wrapped(story.container))
    except WeaveCidrError as error:
        return error


def why_gated(story: Story, decision: Decision | WeaveCidrError) -> str:
    """Who asked for it."""
    if isinstance(decision, WeaveCidrError):
        return f"its command begins with the gate; but nobody attaches it: {decision}"
    if isinstance(decision, LeftAlone):
        return f"its command begins with the gate; but nobody attaches it: {decision.reason}"
    value = environment(story.container).get(VARIABLE)
    if value is None:
        return f"without {VARIABLE}: by launch --gate-all"
    if not is_wrapped(story.container):
        return f"{VARIABLE}={value}; the gate is in its own command, not put there by us"
    inherited = story.image_env is not None and f"{VARIABLE}={value}" in story.image_env
    return f"{VARIABLE}={value}, {'of its image' if inherited else 'its own'}"


def why_not(
    story: Story, decision: Decision | WeaveCidrError, engine: str
) -> tuple[str, list[str]]:
    """Why there is no gate, and what would put one there."""
    container, settings = story.container, story.launch.settings
    labels = container["Config"].get("Labels") or {}
    if LABEL in labels or container["Name"] == f"/{VOLUME_CONTAINER}":
        return "it is a part of weavewait itself", []
    if isinstance(decision, WeaveCidrError):
        return f"{decision}; the proxy would have refused it", [f"correct {VARIABLE}, and " + ANEW]
    if decision == NOT_NAMED:
        how = f"{ANEW} with -e {VARIABLE}=10.2.1.5/24 (or empty, for any free address)"
        return f"neither it nor its image sets {VARIABLE}", [how]
    if isinstance(decision, LeftAlone):
        if decision.reason.startswith(VARIABLE):
            return f"{decision.reason} says so", [f"give it another {VARIABLE}, and {ANEW}"]
        return f"{decision.reason}: an interface there is not its own", [
            "make it anew with a network of its own"
        ]
    where = settings.listen[0] if settings is not None else LISTEN
    todo = [] if settings is not None else [typed("launch", engine)]
    why = f"it was made past the proxy, or before it was there: {VARIABLE} alone gates nothing"
    return why, [*todo, f"export DOCKER_HOST={where}, and {ANEW}"]


def waits_for(story: Story) -> list[str]:
    """What its gate asks for, and whether that is there."""
    try:
        options = options_of(story.container)
    except UsageError as error:
        return [f"its gate's options are wrong: {error}"]
    if options.action == SKIP:
        return ["nothing: WAIT_FOR_WEAVE_SKIP=yes, or WEAVE_CIDR=none"]
    if options.action == QUIT:
        return [f"nothing: with {QUIT_VARIABLE}=yes it exits 0 at once"]
    if isinstance(story.findings, Unseen):
        return [f"not seen: {story.findings.why}"]
    end = "for ever" if options.seconds is None else f"at most {options.seconds:g} s"
    runs = bool(story.container["State"].get("Pid"))
    found = [
        f"{each.what}: {each.state}, {each.found}" if runs else each.what for each in story.findings
    ]
    return [f"{end}, for:", *found]


def attached_of(story: Story) -> str:
    """What the hook server gave it."""
    row = story.row
    if isinstance(row, Unseen):
        return f"not seen: {row.why}"
    if row is None:
        return "no"
    if row.state == "failed":
        return f"no: {row.reason}"
    if not story.container["State"].get("Pid"):
        return "it does not run"
    return ", ".join(row.addresses) or "no"


def environment(container: Object) -> dict[str, str]:
    return effective((), container["Config"].get("Env") or [])


def variables(container: Object) -> list[str]:
    """What sets options of its gate: variables, also those that labels became."""
    found = environment(container)
    return [f"{name}={value}" for name, value in found.items() if name.startswith(OF_THE_GATE)]


def options_of(container: Object) -> Options:
    """Its gate's options. UsageError."""
    found = {
        name.encode(errors="replace"): value.encode(errors="replace")
        for name, value in environment(container).items()
    }
    return arguments.read(list(container["Args"]), found)


def gate_words(container: Object) -> tuple[list[str], list[str]]:
    """Arguments and environment with which the same gate explains itself. UsageError."""
    command = options_of(container).command
    own = container["Args"][: len(container["Args"]) - len(command)]
    own = own[:-1] if own[-1:] == ["--"] else own
    env = [
        f"{name}={value}"
        for name, value in environment(container).items()
        if name == VARIABLE or (name.startswith(OF_THE_GATE) and name != QUIT_VARIABLE)
    ]
    return [*own, "--explain", "--log-format=json", "--", *command], env
