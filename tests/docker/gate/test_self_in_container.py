"""All that a process can see of itself in a container, plainly and behind the gate."""

from __future__ import annotations

from typing import Any

import pytest

from tests.docker.gate import boxes
from tests.support.engine_api import EngineApi
from tests.support.self_seen import facts

ODD = ["Z=1", "A=", "EMPTY", "M=\u00fc \n\\ \"'$HOME", "LD_LIBRARY_PATH=", "_PYI_X=1", "B=2"]

# As `docker run` has it, what the API calls it, and the beginning of the key where it shows.
OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "plain": ({}, ""),
    "-t": ({"Tty": True}, "family.tty"),
    "-i": ({"OpenStdin": True}, "fd.0.target"),
    "-it": ({"OpenStdin": True, "Tty": True}, "family.tty"),
    "--user 1000:1000": ({"User": "1000:1000"}, "ids.uid"),
    "--group-add": ({"host": {"GroupAdd": ["7", "8"]}}, "ids.groups"),
    "--user and --cap-add": (
        {"User": "1000", "host": {"CapAdd": ["NET_ADMIN"]}}, "status.CapBnd"
    ),
    "--cap-add": ({"host": {"CapAdd": ["NET_ADMIN", "SYS_PTRACE"]}}, "status.CapEff"),
    "--cap-drop": ({"host": {"CapDrop": ["ALL"]}}, "status.CapEff"),
    "--ulimit": (
        {"host": {"Ulimits": [{"Name": "nofile", "Soft": 64, "Hard": 128},
                              {"Name": "core", "Soft": 0, "Hard": 0},
                              {"Name": "stack", "Soft": 1 << 20, "Hard": 1 << 21}]}}, "limit."
    ),
    "--oom-score-adj": ({"host": {"OomScoreAdj": 321}}, "proc.oom_score_adj"),
    "no-new-privileges": (
        {"host": {"SecurityOpt": ["no-new-privileges"]}}, "prctl.no_new_privs"
    ),
    "no seccomp": ({"host": {"SecurityOpt": ["seccomp=unconfined"]}}, "status.Seccomp"),
    "--workdir": ({"WorkingDir": "/made/here"}, "link.cwd"),
    "--init": ({"host": {"Init": True}}, "family.pid"),
    "--init -t": ({"Tty": True, "host": {"Init": True}}, "family.pid"),
    "--read-only": ({"host": {"ReadonlyRootfs": True}}, ""),
    "--cpuset-cpus": ({"host": {"CpusetCpus": "0"}}, "sched.cpus"),
    "--pid=host": ({"host": {"PidMode": "host"}}, "family.pid"),
    "--env": ({"env": ODD}, "environ."),
}  # fmt: skip


@pytest.fixture(scope="module")
def seen(api: EngineApi, volume: None, network: str, probe_image: str):
    def run(options: dict[str, Any]) -> list[dict[str, str]]:
        host = {"NetworkMode": network, **options.get("host", {})}
        plain = boxes.body(probe_image, "/probe", "a b", "", **{**options, "host": host})
        ended = boxes.both(api, plain)
        assert [(end.code, end.err, end.refused) for end in ended] == [(0, "", "")] * 2
        return [facts(end.out) for end in ended]

    return run


@pytest.fixture(scope="module")
def usual(seen) -> dict[str, str]:
    plain: dict[str, str] = seen({})[0]
    return plain


@pytest.mark.parametrize("options", OPTIONS)
def test_it_sees_itself_as_it_would_without_us(seen, usual: dict[str, str], options: str) -> None:
    body, key = OPTIONS[options]
    plain, behind = seen(body)
    assert behind == plain
    # The test can fail: the option shows.
    changed = [name for name in {*plain, *usual} if plain.get(name) != usual.get(name)]
    assert not key or [name for name in changed if name.startswith(key)]


def test_behind_an_entrypoint_that_is_a_shell_too(api, volume, network, probe_image) -> None:
    words = ["sh", "-c", "umask 027; cd /tmp; ulimit -n 50; exec 7>&1; exec /probe $0"]
    body = boxes.body(probe_image, *words, "x", host={"NetworkMode": network})
    plain, behind = (facts(end.out) for end in boxes.both(api, body))
    assert behind == plain
    assert (plain["umask"], plain["link.cwd"], plain["argv.1"]) == ("27", "/tmp", "x")
