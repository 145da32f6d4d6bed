"""One line of `weavewait doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from waitforweave.attach.options import ENGINE
from waitforweave.doctor.facts import Launch, Unseen
from waitforweave.launch.containers import HOOKS_CONTAINER
from waitforweave.launch.on_host import HOOKS, Folders

State = Literal["ok", "problem", "not seen"]


@dataclass(frozen=True)
class Check:
    """`said` is what was found, `todo` what to do about it."""

    name: str
    state: State
    said: str
    todo: str = ""


def ok(name: str, said: str) -> Check:
    return Check(name, "ok", said)


def problem(name: str, said: str, todo: str) -> Check:
    return Check(name, "problem", said, todo)


def unseen(name: str, fact: Unseen) -> Check:
    return Check(name, "not seen", fact.why)


def typed(verb: str, engine: str) -> str:
    """`weavewait VERB`, for this engine."""
    return f"weavewait {verb}" + ("" if engine == ENGINE else f" --engine {engine}")


def docker(words: str, engine: str) -> str:
    """`docker WORDS` straight at the engine, whatever DOCKER_HOST says."""
    return f"docker -H {engine} {words}"


def restarted(launch: Launch, engine: str, part: str = HOOKS_CONTAINER) -> str:
    """How a part begins anew; the hook server looks at everything then."""
    if launch.host_process:
        return f"{typed('stop', engine)}, then {typed('launch', engine)} with the same options"
    return docker(f"restart {part}", engine)


def brought_back(launch: Launch, engine: str, part: str) -> str:
    """What helps where a part gives no answer: `launch` leaves one alone that runs, if it hangs."""
    if launch.parts and all(runs for _, runs in launch.parts):
        return restarted(launch, engine, part)
    return f"{typed('launch', engine)} with the same options brings it back"


def log_of(launch: Launch, engine: str, part: str = "") -> str:
    """Where this part's lines are, the hook server's unless told."""
    if launch.host_process:
        return f"read {Folders.of(engine).run}/{part or HOOKS}.log"
    return f"read {docker(f'logs {part or HOOKS_CONTAINER}', engine)}"
