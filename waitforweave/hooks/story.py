"""What became of one container in its newest run, and when, as the live page shows it. Pure.

All times are seconds since 1970 by one clock, the host's, which the engine and we both read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from waitforweave.docker.json_object import Object
from waitforweave.docker.original import is_wrapped
from waitforweave.gate import options as gate
from waitforweave.hooks import advice
from waitforweave.hooks.advice import ENDS, TIME_OUT, Advice
from waitforweave.hooks.book import Attached, Failed, Run
from waitforweave.hooks.process import Process, seconds

Shown = Literal["waiting", "ready", "failed", "ended", "unknown"]


class Story(msgspec.Struct, frozen=True, omit_defaults=True):
    """`state`, `hint` and `command` follow from the rest.

    gated     it waits by our gate, for `awaited` on `interfaces`, `patience` seconds at most
              (None: for ever); without addresses: for any
    waited    its process was seen to be the gate; running: to be its command
    earlier   it ran its command before this server attached it: nobody knows since when
    unseen    nobody may see its process
    failed    when an attach failed last, for `reason`; `tries` is how many did in this run
    removed   the container is no more
    """

    id: str
    name: str
    state: Shown = "waiting"
    promised: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = (gate.INTERFACE,)
    awaited: tuple[str, ...] = ()
    patience: float | None = None
    gated: bool = False
    run: int = 1
    created: float | None = None
    started: float | None = None
    attached: float | None = None
    addresses: tuple[str, ...] = ()
    waited: bool = False
    running: bool = False
    earlier: bool = False
    unseen: bool = False
    ready: float | None = None
    failed: float | None = None
    tries: int = 0
    reason: str = ""
    again: float | None = None
    ended: float | None = None
    code: int | None = None
    removed: bool = False
    hint: str = ""
    command: str = ""


def begun(container: Object, run: Run, promised: Sequence[str], before: Story | None) -> Story:
    """A run of an inspected container begins; `before` is what was known of it."""
    return with_gate(
        Story(
            run.id,
            run.name,
            promised=tuple(promised),
            run=1 if before is None else before.run + 1,
            created=seconds(container.get("Created") or ""),
            started=seconds(run.started),
        ),
        container,
    )


def going_on(story: Story, run: Run) -> Story:
    """It was renamed, or has not ended after all; the reason for an end goes with that."""
    reason = story.reason if story.failed is not None else ""
    return judged(replace(story, name=run.name, ended=None, code=None, reason=reason))


def with_gate(story: Story, container: Object) -> Story:
    """With what its gate, if it has one that waits, was told."""
    if not is_wrapped(container):
        return story
    words = [str(word) for word in container.get("Args") or []]
    pairs = [text.partition("=") for text in container["Config"].get("Env") or []]
    environ = {name.encode(): value.encode() for name, _, value in pairs}
    try:
        told = gate.read(words, environ)
    except gate.UsageError:
        # It will say so itself, and end with 2.
        return replace(story, gated=True)
    if told.action != gate.WAIT:
        return story
    return replace(
        story,
        gated=True,
        interfaces=tuple(told.asked.interfaces),
        awaited=tuple(word.text for word in told.asked.addresses),
        patience=told.seconds,
    )


def attached(story: Story, state: Attached) -> Story:
    """An attach has succeeded; the first one's time stays."""
    when = state.at if story.attached is None else story.attached
    known = replace(story, attached=when, addresses=state.addresses)
    if story.attached is None and story.gated and state.late:
        known = replace(known, earlier=True)
    elif known.running and known.gated and not known.earlier and known.ready is None:
        # Seen to run while the attach was being written down.
        known = replace(known, ready=max(state.at, when))
    return judged(replace(known, reason="", failed=None, again=None))


def failed(story: Story, state: Failed) -> Story:
    """An attach has failed, or it is known when it will be tried again."""
    tries = story.tries + (state.at != story.failed)
    return judged(
        replace(story, failed=state.at, reason=state.reason, again=state.again, tries=tries)
    )


def seen(story: Story, process: Process, now: float) -> Story:
    """Somebody looked at its process."""
    if process is Process.GATE:
        return story if story.waited else judged(replace(story, waited=True))
    if process is Process.UNSEEN:
        # One that was seen has ended since: the engine will say how.
        return story if story.waited else judged(replace(story, unseen=True))
    # Its gate may have been there too short to be seen.
    gate_opened = story.gated and story.attached is not None and not story.earlier
    became = now if gate_opened and story.ready is None else story.ready
    return judged(replace(story, running=True, ready=became, unseen=False))


def ended(story: Story, now: float, code: int | None) -> Story:
    known = code if code is not None else story.code
    when = now if story.ended is None else story.ended
    return judged(replace(story, ended=when, code=known, again=None))


def judged(story: Story) -> Story:
    """With its state, its reason and what to do about it."""
    state = state_of(story)
    if story.ended is not None and state == "failed" and not story.reason:
        assert story.code is not None
        story = replace(story, reason=f"{ENDS[story.code]} (exit code {story.code})")
    cure = advice_for(story, state)
    return replace(story, state=state, hint=cure.text, command=cure.command)


def state_of(story: Story) -> Shown:
    if story.attached is None and story.reason:
        return "failed"
    if story.ended is not None:
        return "failed" if gave_up(story) else "ended"
    if story.attached is None:
        return "waiting"
    if story.running or not story.gated:
        return "ready"
    return "unknown" if story.unseen else "waiting"


def gave_up(story: Story) -> bool:
    """Whether its gate ended it. One without a gate, or that somebody ended, has not failed
    (weave#812); once it is attached, an exit code may be the command's own, however short that
    was, unless it is the gate's for a time that is up."""
    if not story.gated or story.running or story.code not in ENDS:
        return False
    if story.attached is None:
        return True
    lived = (story.ended or 0.0) - (story.started or 0.0)
    return story.code == TIME_OUT and story.patience is not None and lived >= story.patience


def advice_for(story: Story, state: Shown) -> Advice:
    if state == "failed" and story.failed is not None:
        return advice.for_reason(story.reason)
    if state == "failed" and story.code is not None:
        return advice.for_end(story.name, story.code)
    if state == "waiting" and story.attached is not None:
        return advice.for_waiting(story.name)
    return Advice("")
