"""What became of a container, by what was seen of it; and what to do about it."""

from __future__ import annotations

from typing import Any

import pytest

from waitforweave.docker.create import GATE
from waitforweave.docker.original import CMD_LABEL, ENTRYPOINT_LABEL
from waitforweave.hooks import story as module
from waitforweave.hooks.advice import CURES, ENDS
from waitforweave.hooks.book import Attached, Failed, Run, run_of
from waitforweave.hooks.process import Process
from waitforweave.hooks.story import Story, begun, ended, going_on, seen

ID = "c" * 64
STARTED = 1_767_225_600.5
LABELS = {ENTRYPOINT_LABEL: "[]", CMD_LABEL: '["sleep"]'}
TAKEN = "Unable to claim: address 10.2.1.5/24 already in use by 0123456789ab"


def container(*env: str, labels: dict[str, str] | None = LABELS, path: str = GATE) -> Any:
    return {
        "Id": ID,
        "Name": "/a",
        "Created": "2026-01-01T00:00:00Z",
        "Path": path,
        "Args": ["sleep", "99"],
        "State": {"Pid": 4711, "StartedAt": "2026-01-01T00:00:00.5Z"},
        "Config": {"Env": ["WEAVE_CIDR=10.2.1.5/24", *env], "Labels": labels},
        "HostConfig": {"NetworkMode": "default"},
    }


def run(of: Any) -> Run:
    found = run_of(of)
    assert found is not None
    return found


def started(*env: str, **more: Any) -> Story:
    found = container(*env, **more)
    return begun(found, run(found), ["10.2.1.5/24"], None)


def attached(story: Story, at: float = STARTED + 1, *, late: bool = False) -> Story:
    return module.attached(story, Attached(("10.2.1.5/24",), at, late))


def failed(story: Story, at: float = STARTED + 1, again: float | None = None) -> Story:
    return module.failed(story, Failed(TAKEN, at, again))


def test_the_usual_way_has_a_time_for_each_step():
    story = seen(started(), Process.GATE, STARTED)
    assert (story.state, story.created, story.started) == ("waiting", STARTED - 0.5, STARTED)
    assert (story.awaited, story.interfaces, story.patience) == (("10.2.1.5/24",), ("ethwe",), 30)
    story = attached(story)
    assert (story.state, story.attached, story.ready) == ("waiting", STARTED + 1, None)
    story = seen(story, Process.COMMAND, STARTED + 1.25)
    assert (story.state, story.ready, story.addresses) == (
        "ready",
        STARTED + 1.25,
        ("10.2.1.5/24",),
    )
    story = ended(story, STARTED + 9, 0)
    assert (story.state, story.ended, story.code, story.hint) == ("ended", STARTED + 9, 0, "")


def test_an_exec_that_is_seen_before_the_attach_is_written_down_counts_from_then():
    story = seen(seen(started(), Process.GATE, 0), Process.COMMAND, STARTED + 0.9)
    assert (story.state, story.ready) == ("waiting", None)
    story = attached(story)
    assert (story.state, story.ready) == ("ready", STARTED + 1)


def test_when_a_command_began_that_ran_before_we_looked_is_no_guess():
    story = attached(seen(started(), Process.COMMAND, STARTED + 5), late=True)
    assert (story.state, story.earlier, story.ready) == ("ready", True, None)
    assert seen(story, Process.COMMAND, STARTED + 6) == story
    # Nor is it one of a second attach, which finds the command.
    story = attached(seen(attached(started()), Process.COMMAND, STARTED + 2), late=True)
    assert (story.state, story.earlier, story.ready) == ("ready", False, STARTED + 2)


def test_a_gate_that_was_there_too_short_to_be_seen_has_opened_all_the_same():
    """Attached ahead of its start, it runs for ten milliseconds."""
    story = seen(attached(started()), Process.COMMAND, STARTED + 1.5)
    assert (story.state, story.earlier, story.ready) == ("ready", False, STARTED + 1.5)
    story = attached(seen(started(), Process.COMMAND, STARTED + 1.5), STARTED + 2)
    assert (story.state, story.earlier, story.ready) == ("ready", False, STARTED + 2)


def test_a_process_that_nobody_may_see_is_unknown_once_it_is_attached():
    story = seen(started(), Process.UNSEEN, STARTED)
    assert story.state == "waiting"
    assert attached(story).state == "unknown"


def test_one_that_was_seen_and_is_no_more_has_not_become_unknown():
    story = attached(seen(started(), Process.GATE, STARTED))
    assert seen(story, Process.UNSEEN, STARTED + 2) == story


def test_a_second_attach_keeps_the_time_of_the_first():
    assert attached(attached(started()), STARTED + 50).attached == STARTED + 1


def test_a_failure_has_its_reason_and_what_to_do():
    story = failed(seen(started(), Process.GATE, STARTED))
    assert (story.state, story.reason, story.tries) == ("failed", TAKEN, 1)
    assert story.hint.startswith("Two containers were promised the same address")
    assert story.command == "docker inspect -f '{{.Name}}' 0123456789ab"


def test_when_it_is_tried_again_is_no_further_failure():
    story = failed(failed(started()), again=STARTED + 3)
    assert (story.tries, story.again) == (1, STARTED + 3)
    story = failed(story, STARTED + 3.1)
    assert (story.tries, story.again) == (2, None)


def test_an_attach_that_succeeds_at_last_is_no_failure_any_more():
    story = attached(failed(seen(started(), Process.GATE, 0)), STARTED + 4)
    assert (story.state, story.reason, story.failed, story.tries) == ("waiting", "", None, 1)
    assert "--explain" in story.command


def test_killed_since_it_could_not_be_attached_it_stays_a_failure():
    story = ended(failed(started()), STARTED + 1.1, 137)
    assert (story.state, story.reason, story.code) == ("failed", TAKEN, 137)


@pytest.mark.parametrize("code", sorted(ENDS))
def test_a_gate_that_gave_up_has_failed_by_its_exit_code(code):
    story = ended(seen(started(), Process.GATE, 0), STARTED + 30, code)
    assert (story.state, story.reason) == ("failed", f"{ENDS[code]} (exit code {code})")
    assert (story.hint, story.command) == (CURES[code], "docker logs a")


@pytest.mark.parametrize("code", [0, 137, 143])
def test_who_was_ended_while_it_waited_has_not_failed(code):
    assert ended(seen(started(), Process.GATE, 0), STARTED + 3, code).state == "ended"


@pytest.mark.parametrize("code", sorted(ENDS))
def test_after_the_attach_an_exit_code_is_the_commands_own(code):
    assert ended(attached(started()), STARTED + 3, code).state == "ended"


def test_attached_or_not_a_gate_whose_time_is_up_has_failed():
    story = attached(seen(started(), Process.GATE, 0))
    assert ended(story, STARTED + 29.9, 1).state == "ended"
    late = ended(story, STARTED + 30.01, 1)
    assert (late.state, late.reason) == ("failed", "the gate's time ran out (exit code 1)")
    ran = seen(story, Process.COMMAND, STARTED + 2)
    assert ended(ran, STARTED + 31, 1).state == "ended"


def test_the_end_may_be_told_twice_with_the_code_only_once():
    story = ended(ended(started(), STARTED + 3, None), STARTED + 4, 3)
    assert (story.ended, story.code) == (STARTED + 3, 3)


def test_one_that_has_not_ended_after_all_has_no_reason_left():
    story = ended(started(), STARTED + 3, 1)
    back = going_on(story, run(container()))
    assert (back.state, back.reason, back.ended, back.code) == ("waiting", "", None, None)
    assert going_on(failed(started()), run(container())).reason == TAKEN


@pytest.mark.parametrize(
    "story",
    [
        started(labels=None),
        started(path="sleep"),
        started("WAIT_FOR_WEAVE_SKIP=yes"),
    ],
)
def test_without_a_gate_that_waits_it_is_ready_when_it_is_attached(story):
    assert not story.gated
    assert attached(story).state == "ready"
    # Ended by itself before anybody attached it: no failure (weave#812).
    assert ended(story, STARTED + 3, 1).state == "ended"


def test_the_gates_own_options_say_what_it_waits_for():
    story = started("WAIT_FOR_WEAVE_INTERFACE=tun0", "WAIT_FOR_SECONDS=0")
    assert (story.gated, story.interfaces, story.awaited) == (True, ("tun0",), ())
    assert story.patience is None


def test_a_gate_with_a_wrong_option_waits_until_it_says_so():
    story = started("WAIT_FOR_SECONDS=nonsense")
    assert story.gated
    assert (
        ended(story, STARTED, 2).reason == "an option of the gate has a wrong value (exit code 2)"
    )


def test_the_next_run_begins_anew():
    before = ended(failed(started()), STARTED + 3, 1)
    again = begun(container(), run(container()), ["10.2.1.5/24"], before)
    assert (again.run, again.state, again.tries, again.reason) == (2, "waiting", 0, "")
