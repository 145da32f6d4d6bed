"""What to do about a reason: of what the backends really say."""

from __future__ import annotations

import pytest

from waitforweave.hooks.advice import SERVERS_LOG, for_reason, for_waiting


@pytest.mark.parametrize(
    ("reason", "command"),
    [
        (
            "weave attach: Unable to claim: address 10.2.1.5/24 is already owned by 0123456789ab "
            "(exit code 1)",
            "docker inspect -f '{{.Name}}' 0123456789ab",
        ),
        (
            "Unable to claim: address 10.2.1.5/24 already in use by db (0123456789ab)",
            "docker inspect -f '{{.Name}}' 0123456789ab",
        ),
        ("no address is free in 10.2.9.4/30: all 4 are in use", "docker ps -a"),
        ('weave attach: bridge "weave" not present; did you launch weave?', "weave launch"),
        ("weave attach: weave container is not running. (exit code 7)", "weave launch"),
        ("range 10.2.2.0/24 out of bounds: 10.32.0.0/12", "weave status ipam"),
        ("may not open /proc/7/ns/net: root is needed, or SYS_PTRACE and the host's pids", ""),
        ("CNI plugin bridge (ADD): no IP ranges (exit code 1)", ""),
        ("not attached after 30 s", "docker logs weavewait-hooks"),
    ],
)
def test_each_reason_has_its_advice(reason, command):
    advice = for_reason(reason)
    assert advice.text
    assert advice.command.startswith(command) if command else not advice.command


def test_braces_in_a_reason_are_nobodys_format():
    assert for_reason("{0.__class__} {holder}") == SERVERS_LOG


def test_a_name_is_one_word_to_a_shell():
    assert for_waiting("a b").command.startswith("docker exec 'a b' ")
