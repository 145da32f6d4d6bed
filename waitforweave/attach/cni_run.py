"""One network's plugins, run as the CNI specification says: ADD forwards, DEL backwards, CHECK."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from waitforweave.attach import command
from waitforweave.attach.backend import AttachError
from waitforweave.attach.cni_config import Chain, Json, arguments, request
from waitforweave.attach.command import Done, inherited, one_line

LIMIT_SECONDS = 20.0


@dataclass(frozen=True)
class Runtime:
    """For whom the plugins are run: the container, the path of its network namespace ("" where it
    is gone), the interface that it gets, the addresses that it wants; and CNI_PATH. `seconds` is
    what one plugin may take."""

    container: str
    namespace: str
    interface: str
    ips: tuple[str, ...]
    path: str
    seconds: float = LIMIT_SECONDS


def add(chain: Chain, runtime: Runtime) -> Json:
    """The last plugin's result. AttachError with a plugin's own words."""
    result: Json | None = None
    for plugin in chain.plugins:
        result = ask("ADD", chain, runtime, plugin, result)
    if not isinstance(result, dict):
        raise AttachError(f'the CNI network "{chain.name}" gave no result')
    return result


def delete(chain: Chain, runtime: Runtime, result: Json | None) -> None:
    """Each plugin gets its turn, also after another's error. AttachError says all of these."""
    errors = []
    for plugin in reversed(chain.plugins):
        try:
            ask("DEL", chain, runtime, plugin, result)
        except AttachError as error:
            errors.append(str(error))
    if errors:
        raise AttachError("; ".join(errors))


def moved(result: Json | None, namespace: str) -> Json | None:
    """The result as if it came from today's path of the same namespace: plugins compare them."""
    if result is None:
        return None
    interfaces = [
        {**each, "sandbox": namespace} if each.get("sandbox") else each
        for each in result.get("interfaces") or ()
    ]
    return {**result, "interfaces": interfaces}


def check(chain: Chain, runtime: Runtime, result: Json | None) -> None:
    """AttachError with a plugin's own words."""
    for plugin in chain.plugins if chain.checks else ():
        ask("CHECK", chain, runtime, plugin, result)


def ask(
    verb: str, chain: Chain, runtime: Runtime, plugin: Json, previous: Json | None
) -> Json | None:
    """One plugin's answer; DEL and CHECK have none."""
    environ = inherited(
        CNI_COMMAND=verb,
        CNI_CONTAINERID=runtime.container,
        CNI_NETNS=runtime.namespace,
        CNI_IFNAME=runtime.interface,
        CNI_ARGS=arguments(chain, runtime.ips),
        CNI_PATH=runtime.path,
    )
    stdin = json.dumps(request(chain, plugin, runtime.ips, previous))
    program = find_plugin(plugin["type"], runtime.path)
    done = command.run([str(program)], environ, runtime.seconds, stdin=stdin)
    if done.code != 0:
        raise failure(verb, program, done)
    if verb != "ADD":
        return None
    try:
        result = json.loads(done.out)
    except ValueError:
        result = None
    if not isinstance(result, dict):
        raise AttachError(f"CNI plugin {program} (ADD): its answer is no JSON object: {done.out!r}")
    return result


def failure(verb: str, program: Path, done: Done) -> AttachError:
    """The plugin's own message; what it printed where that is not the specification's JSON."""
    try:
        said = json.loads(done.out)
        text = f"{said['msg']} {said.get('details') or ''}".strip()
    except (ValueError, TypeError, KeyError):
        text = one_line(done.err) or one_line(done.out) or "it said nothing"
    return AttachError(f"CNI plugin {program} ({verb}): {one_line(text)} (exit code {done.code})")


def find_plugin(name: str, path: str) -> Path:
    """AttachError names where it was looked for."""
    for folder in filter(None, path.split(":")):
        candidate = Path(folder) / name
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    raise AttachError(f"there is no CNI plugin {name} in {path}; --cni-path names the folders")
