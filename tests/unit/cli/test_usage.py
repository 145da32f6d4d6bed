"""What a person reads who types `weavewait` and something that is wrong."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner, Result

from waitforweave.cli import launch as launch_module
from waitforweave.cli.main import COMMANDS, weavewait
from waitforweave.launch.settings import Settings


def typed(*words: str) -> Result:
    return CliRunner().invoke(weavewait, words)


def test_help_names_each_command_in_a_whole_sentence():
    listed = typed("--help").output.split("Commands:\n", 1)[1].splitlines()
    said = [re.fullmatch(r"  ([\w-]+) +\S.*[^.]\.", line) for line in listed]
    assert [match and match[1] for match in said] == [name for name in COMMANDS if name != "volume"]


@pytest.mark.parametrize("subnet", ["nonsense", "10.32.0.1/12", "10.0.0.0/31", ""])
def test_a_subnet_that_is_none_is_refused_with_what_is_allowed(subnet):
    refused = typed("launch", "--subnet", subnet)
    assert refused.exit_code == 2
    assert "allowed: a subnet like 10.32.0.0/12" in refused.output


@pytest.mark.parametrize("url", ["/run/docker.sock", "unix://docker.sock", "http://h:1", "tcp://h"])
@pytest.mark.parametrize("option", ["--engine", "--listen"])
def test_an_address_that_is_none_is_refused_with_what_is_allowed(option, url):
    refused = typed("launch", option, url)
    assert refused.exit_code == 2
    assert f'"{url}"' in refused.output
    assert "allowed: unix:///PATH or tcp://HOST:PORT" in refused.output


def test_the_line_of_launch_is_one_word_to_a_shell(monkeypatch):
    async def nothing(*_: object) -> list[str]:
        return []

    monkeypatch.setattr(launch_module, "bring_up", nothing)
    said = typed("launch", "--listen", "unix:///run/with blank/d.sock")
    assert said.stdout == "export DOCKER_HOST='unix:///run/with blank/d.sock'\n"


@pytest.mark.parametrize(
    "words", [("launch", "--engine"), ("launch", "--listen"), ("status", "--server")]
)
def test_an_address_that_is_no_utf8_is_refused(words):
    refused = typed(*words, "unix:///run/\udcff/d.sock")
    assert refused.exit_code == 2
    assert r'"unix:///run/\udcff/d.sock" is no UTF-8; allowed: unix:///PATH' in refused.output


@pytest.mark.parametrize(
    "words", [("explain",), ("unwrap",), ("attach",), ("detach",), ("launch", "--image")]
)
def test_a_name_that_is_no_utf8_is_the_engines_to_refuse(words):
    said = typed(words[0], "--engine", "unix:///none/d.sock", *words[1:], "\udcff")
    assert said.exit_code == 1
    assert "no answer from the engine at unix:///none/d.sock" in said.stderr


def test_paths_mean_the_folder_in_which_they_were_typed(tmp_path, monkeypatch):
    """A hook server that is a process of this host runs in another one."""
    given: list[Settings] = []

    async def noted(settings: Settings, *_: object) -> list[str]:
        given.append(settings)
        return []

    monkeypatch.setattr(launch_module, "bring_up", noted)
    monkeypatch.chdir(tmp_path)
    typed("launch", "--weave=bin/weave", "--cni-config=net.d", "--cni-path=bin:/opt/cni/bin")
    typed("launch", "--weave=weave")
    assert [settings.network for settings in given] == [
        (
            f"--weave={tmp_path}/bin/weave",
            f"--cni-config={tmp_path}/net.d",
            f"--cni-path={tmp_path}/bin:/opt/cni/bin",
        ),
        (),
    ]


def test_the_default_engine_has_one_name(tmp_path, monkeypatch):
    """`stop` with the other one would not find what runs as processes, and take the rest away."""
    given: list[str] = []

    async def noted(settings: Settings, *_: object) -> list[str]:
        given.append(settings.engine)
        return []

    monkeypatch.setattr(launch_module, "bring_up", noted)
    (tmp_path / "var-run").symlink_to(tmp_path)
    monkeypatch.setattr("waitforweave.cli.options.ENGINE", f"unix://{tmp_path}/var-run/d.sock")
    typed("launch", "--engine", f"unix://{tmp_path}/d.sock")
    typed("launch", "--engine", f"unix://{tmp_path}/other.sock")
    assert given == [f"unix://{tmp_path}/var-run/d.sock", f"unix://{tmp_path}/other.sock"]


def test_an_address_that_is_named_twice_is_refused_before_anything_is_made():
    refused = typed("launch", "--engine", "unix:///none/d.sock", *["--listen", "unix:///a/b"] * 2)
    assert refused.exit_code == 2
    assert "--listen: the same address twice." in refused.output
