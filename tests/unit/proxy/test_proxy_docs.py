"""docs/proxy.md: its examples are what the proxy takes and sends."""

from __future__ import annotations

import json
import re
import shlex
import textwrap
from pathlib import Path

import pytest

from waitforweave.cli import adapter_debug, proxy
from waitforweave.proxy import protocol
from waitforweave.proxy.adapters import parse

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "proxy.md").read_text()
JOINED = TEXT.replace("\\\n", "")


def blocks() -> list[str]:
    """The indented blocks, without their indent."""
    found = re.findall(r"(?:^ {4}.*\n(?:\n(?= {4}))?)+", TEXT, re.MULTILINE)
    return [textwrap.dedent(block) for block in found]


def test_the_example_of_adapters_yml_is_one():
    (example,) = [block for block in blocks() if block.startswith("version:")]
    rules = parse(example)
    assert [rule.pattern for rule in rules][:2] == [
        "POST /*/containers/create",
        "POST /containers/create",
    ]
    assert {adapter.name for rule in rules for adapter in rule.pre + rule.post} == {
        "flocker",
        "weave",
    }


def keys(message: object) -> object:
    """The message's keys, at each depth."""
    if not isinstance(message, dict):
        return None
    return {key: keys(value) for key, value in message.items()}


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("pre-hook", protocol.pre_hook(protocol.ClientRequest("POST", "/"))),
        (
            "post-hook",
            protocol.post_hook(protocol.ClientRequest("POST", "/"), protocol.ServerResponse()),
        ),
    ],
)
def test_the_messages_shown_are_the_messages_sent(kind, sent):
    (shown,) = [block for block in blocks() if f'"Type": "{kind}"' in block]
    # "..." stands for a value of no interest.
    message = shown[shown.index("{") :].replace(": ...", ": null")
    assert keys(json.loads(message)) == keys(json.loads(sent))


def test_the_limits_said_are_the_limits_held():
    from waitforweave.proxy.chain import ADAPTER_SECONDS
    from waitforweave.proxy.hooked import HOOKED_BYTES

    assert f"within {ADAPTER_SECONDS:.0f} s" in TEXT
    assert f"{HOOKED_BYTES // 2**20} MiB" in TEXT


COMMANDS = {"proxy": proxy.command, "adapter-debug": adapter_debug.command}


OPTIONS = {word for command in COMMANDS.values() for param in command.params for word in param.opts}


def test_each_option_is_described_and_none_that_is_not_there():
    described = set(re.findall(r"(?<![\w-])--[a-z]+(?:-[a-z]+)*", TEXT))
    assert described == OPTIONS


def test_the_command_lines_shown_are_some():
    shown = re.findall(r"weavewait (proxy|adapter-debug) (--[^\[\n]*)$", JOINED, re.MULTILINE)
    assert len(shown) >= 3
    for name, words in shown:
        COMMANDS[name].make_context(name, shlex.split(words))
