"""What is said of one container: why it is gated or not, what it waits for, what to do."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.doctor.facts_of import LAUNCH, LISTEN, SETTINGS, URL
from tests.unit.doctor.told import READY, SEES, container, row
from waitforweave.cli.explain import text_of
from waitforweave.docker.create import GATE
from waitforweave.doctor.explain import Explanation, explain, gate_words
from waitforweave.doctor.facts import Launch, Unseen
from waitforweave.doctor.look import GATE_LINE
from waitforweave.doctor.story import Story
from waitforweave.gate.options import UsageError

ENDED: dict[str, Any] = {"Status": "exited", "Running": False, "Pid": 0}


def said(made: dict[str, Any], **story: Any) -> Explanation:
    told = Story(**{"container": made, "image_env": (), "launch": LAUNCH, "row": READY, **story})
    return explain(told, URL)


# Why it is not gated.


@pytest.mark.parametrize(
    ("made", "why", "todo"),
    [
        (
            container(gated=False),
            "neither it nor its image sets WEAVE_CIDR",
            "make it anew with -e WEAVE_CIDR=10.2.1.5/24 (or empty, for any free address)",
        ),
        (
            container("WEAVE_CIDR=", gated=False),
            "it was made past the proxy, or before it was there: WEAVE_CIDR alone gates nothing",
            f"export DOCKER_HOST={LISTEN}, and make it anew",
        ),
        (
            container("WEAVE_CIDR=", gated=False, mode="host"),
            "network mode host: an interface there is not its own",
            "make it anew with a network of its own",
        ),
        (
            container("WEAVE_CIDR=none", gated=False),
            "WEAVE_CIDR=none says so",
            "give it another WEAVE_CIDR, and make it anew",
        ),
        (
            container("WEAVE_CIDR=10.2.1.5", gated=False),
            'WEAVE_CIDR: "10.2.1.5" has no prefix length; allowed: 10.2.1.5/24, ip:10.2.1.5/24, '
            "net:10.2.2.0/24, net:default, or none alone; the proxy would have refused it",
            "correct WEAVE_CIDR, and make it anew",
        ),
    ],
)
def test_why_a_container_has_no_gate(made, why, todo):
    found = said(made)
    assert (found.gated, found.why, found.todo) == (False, why, [todo])
    assert (found.waits_for, found.now) == ([], "")


def test_without_a_launch_that_comes_first():
    found = said(container("WEAVE_CIDR=", gated=False), launch=Launch())
    assert found.todo == [
        "weavewait launch",
        f"export DOCKER_HOST={LISTEN}, and make it anew",
    ]


def test_one_made_past_the_proxy_is_attached_all_the_same():
    found = said(container("WEAVE_CIDR=", gated=False), hooks_log=("weavewait serve: x",))
    assert (found.attached, found.log) == ("10.2.1.5/24", ["weavewait serve: x"])
    assert said(container(gated=False)).attached == ""


def test_where_all_are_gated_one_without_weave_cidr_was_made_past_the_proxy():
    launch = Launch(replace(SETTINGS, gate_all=True), False, ())
    assert said(container(gated=False), launch=launch).why.startswith("it was made past the proxy")


@pytest.mark.parametrize("name", ["weavewait", "weavewait-hooks"])
def test_our_own_parts_are_known(name):
    labels = {} if name == "weavewait" else {"weavewait.launch": "{}"}
    made = {**container(gated=False, labels=labels), "Name": f"/{name}"}
    assert said(made).why == "it is a part of weavewait itself"


# Why it is, and what it waits for.


@pytest.mark.parametrize(
    ("made", "image_env", "why"),
    [
        (container("WEAVE_CIDR=10.2.1.5/24"), (), "WEAVE_CIDR=10.2.1.5/24, its own"),
        (container("WEAVE_CIDR="), ("WEAVE_CIDR=",), "WEAVE_CIDR=, of its image"),
        (container("WEAVE_CIDR="), None, "WEAVE_CIDR=, its own"),
        (container(), (), "without WEAVE_CIDR: by launch --gate-all"),
        (
            container("WEAVE_CIDR=", labels={}),
            (),
            "WEAVE_CIDR=; the gate is in its own command, not put there by us",
        ),
        (
            container("WEAVE_CIDR=none"),
            (),
            "its command begins with the gate; but nobody attaches it: WEAVE_CIDR=none",
        ),
        (
            container("WEAVE_CIDR=x", labels={}),
            (),
            'its command begins with the gate; but nobody attaches it: WEAVE_CIDR: "x" is not an '
            "IP address with its prefix length; allowed: 10.2.1.5/24, ip:10.2.1.5/24, "
            "net:10.2.2.0/24, net:default, or none alone",
        ),
    ],
)
def test_why_a_container_has_a_gate(made, image_env, why):
    found = said(made, image_env=image_env)
    assert (found.gated, found.why) == (True, why)


def test_what_the_gate_waits_for_is_said_with_what_it_sees():
    made = container("WEAVE_CIDR=", "WAIT_FOR_WEAVE_TIMEOUT=1.5", "A=b")
    found = said(made, findings=SEES)
    assert found.waits_for == [
        "at most 1.5 s, for:",
        "interface ethwe: missing, not there (interfaces: lo)",
    ]
    assert found.options == ["WAIT_FOR_WEAVE_TIMEOUT=1.5"]


def test_one_that_does_not_run_sees_nothing():
    made = container("WEAVE_CIDR=", "WAIT_FOR_SECONDS=0", **ENDED, ExitCode=0)
    assert said(made, findings=SEES).waits_for == ["for ever, for:", "interface ethwe"]


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (
            container("WAIT_FOR_WEAVE_SKIP=yes"),
            "nothing: WAIT_FOR_WEAVE_SKIP=yes, or WEAVE_CIDR=none",
        ),
        (container("WEAVE_CIDR=none"), "nothing: WAIT_FOR_WEAVE_SKIP=yes, or WEAVE_CIDR=none"),
        (
            container("WAIT_FOR_WEAVE_QUIT=yes"),
            "nothing: with WAIT_FOR_WEAVE_QUIT=yes it exits 0 at once",
        ),
        (
            container(args=("--count", "x", "sleep")),
            'its gate\'s options are wrong: --count: "x" is no number of interfaces; '
            "allowed: 1, 2, ...",
        ),
    ],
)
def test_a_gate_that_does_not_wait(made, line):
    assert said(made).waits_for == [line]


def test_what_the_gate_could_not_be_asked_is_not_seen():
    found = said(container("WEAVE_CIDR="), findings=Unseen("the gate could not be asked: why"))
    assert found.waits_for == ["not seen: the gate could not be asked: why"]


def test_the_gate_is_asked_with_its_own_options_and_variables():
    made = container(
        *("WEAVE_CIDR=", "A=b", "WAIT_FOR_SECONDS=3", "WAIT_FOR_WEAVE_QUIT=no"),
        args=("--interface", "tun0", "--", "-x", "--explain"),
    )
    words, env = gate_words(made)
    assert " ".join(words) == "--interface tun0 --explain --log-format=json -- -x --explain"
    assert env == ["WEAVE_CIDR=", "WAIT_FOR_SECONDS=3"]
    with pytest.raises(UsageError):
        gate_words(container("WEAVE_CIDR=x"))


# How it is doing.


@pytest.mark.parametrize(
    ("seen", "attached", "now"),
    [
        (
            READY,
            "10.2.1.5/24",
            "its command runs, 0.25 s after its start: the gate is gone",
        ),
        (row("ready", ["a"]), "a", "its command runs: the gate is gone"),
        (row("waiting"), "no", "its gate waits, and nothing was attached yet"),
        (
            row("waiting", ["10.2.1.5/24"]),
            "10.2.1.5/24",
            "its gate waits, though it is attached: what it misses is said above",
        ),
        (row("failed", None, "in use"), "no: in use", "its gate waits in vain: in use"),
        (
            None,
            "no",
            "it runs; the hook server cannot see whether its gate still waits",
        ),
        (
            Unseen("no answer"),
            "not seen: no answer",
            "it runs; whether its gate still waits is not seen: no answer",
        ),
    ],
)
def test_how_one_that_runs_is_doing(seen, attached, now):
    found = said(container("WEAVE_CIDR="), row=seen)
    assert (found.attached, found.now) == (attached, now)
    assert bool(found.todo) != (seen is not None and getattr(seen, "state", "") == "ready")


GAVE_UP = ("wait-for-weave: not ready after 30 s:", "wait-for-weave:   missing:  interface ethwe")
KILLED = ("weavewait serve: event start web (cccccccccccc): not attached: in use",)


@pytest.mark.parametrize(
    ("state", "story", "now"),
    [
        (
            {"ExitCode": 1},
            {"gate_log": GAVE_UP},
            "its gate gave up (exit code 1): see the log below",
        ),
        (
            {"ExitCode": 1},
            {"gate_log": ('{"time": "x", "event": "timeout", "message": "not"}',)},
            "its gate gave up (exit code 1): see the log below",
        ),
        (
            {"ExitCode": 3},
            {"gate_log": (f"{GAVE_UP[0][:-1]}; running the command all the same:",)},
            "it ended with exit code 3; its gate did not give up",
        ),
        (
            {"ExitCode": 127},
            {"gate_log": ("wait-for-weave: nosuch: not found in PATH (/bin)",)},
            "its gate ended it (exit code 127): see the log below",
        ),
        (
            {"ExitCode": 137},
            {"hooks_log": KILLED},
            "it was killed, since it could not be attached: see the log below",
        ),
        ({"ExitCode": 137}, {}, "it ended with exit code 137; its gate did not give up"),
        ({"ExitCode": 0}, {}, "it ended with exit code 0; its gate did not give up"),
        (
            {"ExitCode": 127, "Error": "exec: no such file"},
            {},
            "it could not be started: exec: no such file",
        ),
        ({"Status": "created"}, {}, "it was not started yet"),
        (
            {"Status": "created", "Error": "no such device"},
            {},
            "it could not be started: no such device",
        ),
    ],
)
def test_how_one_ended(state, story, now):
    found = said(container("WEAVE_CIDR=", **{**ENDED, **state}), row=None, **story)
    assert found.now == now
    assert found.log == [*story.get("gate_log", ()), *story.get("hooks_log", ())]


@pytest.mark.parametrize(
    ("code", "todo"),
    [
        (2, "correct the option, variable or label that it names, and make it anew"),
        (125, "docs/errors.md has the cure for that"),
        (126, "correct the command, or what the image has in its place, and make it anew"),
        (127, "correct the command, or put the program into the image, and make it anew"),
    ],
)
def test_where_the_gate_ended_it_that_is_to_be_mended(code, todo):
    made = container("WEAVE_CIDR=", **{**ENDED, "ExitCode": code})
    assert said(made, row=None, gate_log=("wait-for-weave: why",)).todo == [todo]


def test_what_the_engine_refuses_is_for_the_person_to_correct():
    made = container("WEAVE_CIDR=", **ENDED, Error="unable to find user nobody-here")
    assert said(made, row=None).todo == [
        "correct what the engine names, and make it anew",
        "weavewait doctor",
    ]


@pytest.mark.parametrize(
    ("launch", "first"),
    [
        (LAUNCH, []),
        (Launch(), ["weavewait launch"]),
    ],
)
def test_a_gated_image_straight_at_the_engine(launch, first):
    error = f'exec: "{GATE}": stat {GATE}: no such file or directory'
    found = said(container("WEAVE_CIDR=", **ENDED, Error=error), row=None, launch=launch)
    assert found.now == (
        f"it was made straight at the engine, of a gated image, and has no gate: {error}"
    )
    assert found.todo == [
        *first,
        "export DOCKER_HOST=unix:///run/weavewait/docker.sock, and make it anew",
        "or have it without the gate: weavewait unwrap busybox",
    ]


def test_a_gate_that_gave_up_may_be_let_wait_longer():
    found = said(container("WEAVE_CIDR=", **ENDED, ExitCode=1), gate_log=GAVE_UP)
    assert found.todo == [
        "docker start web, once weavewait doctor says ok",
        "let it wait longer: --label weavewait.timeout=N (seconds; 0: for ever)",
    ]


def test_the_text_has_a_line_for_what_is_known():
    made = container("WEAVE_CIDR=10.2.1.5/24")
    assert text_of(said(made, findings=SEES)).splitlines() == [
        "container  web (cccccccccccc), image busybox: running",
        "gated      yes: WEAVE_CIDR=10.2.1.5/24, its own",
        "waits for  at most 30 s, for:",
        "           interface ethwe: missing, not there (interfaces: lo)",
        "attached   10.2.1.5/24",
        "now        its command runs, 0.25 s after its start: the gate is gone",
    ]


@pytest.mark.parametrize(
    ("log", "lines"),
    [
        (b"\x02\0\0\0\0\0\0\x20wait-for-weave: ready\nother\n", [b"wait-for-weave: ready"]),
        (
            b"x\r\nwait-for-weave: a\r\nwait-for-weave: b\r\n",
            [b"wait-for-weave: a", b"wait-for-weave: b"],
        ),
    ],
)
def test_the_gates_lines_are_found_in_any_log(log, lines):
    assert GATE_LINE.findall(log) == lines


def test_the_gates_json_is_found_in_a_log():
    line = json.dumps({"time": "t", "program": "wait-for-weave", "event": "timeout"}).encode()
    assert GATE_LINE.findall(b"\x02\0\0\0\0\0\0\x20" + line + b"\n{}\n") == [line]
