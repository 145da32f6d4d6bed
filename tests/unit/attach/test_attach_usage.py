"""What the commands refuse before they ask an engine: usage, exit code 2."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from waitforweave.attach.options import Options
from waitforweave.cli.attach import command as attach
from waitforweave.cli.detach import command as detach
from waitforweave.cli.expose import command as expose
from waitforweave.cli.hide import command as hide
from waitforweave.cli.options import network_options, network_words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Missing argument 'CONTAINER'"),
        (["10.2.1.300/24", "c"], '"10.2.1.300/24" is not an IP address'),
        (["10.2.1.5", "c"], '"10.2.1.5" has no prefix length'),
        (["none", "c"], '"none" leaves nothing to attach'),
        (["none", "10.2.1.5/24", "c"], '"none" cannot stand beside other words'),
        (["--subnet", "10.32.0.1/12", "c"], "has host bits set"),
        (["--engine", "http://x", "c"], "--engine"),
        (["--backend", "flannel", "c"], "'flannel' is not one of 'bridge', 'weave', 'cni'"),
        (["--mtu", "1279", "c"], "1279 is not in the range 1280<=x<=65535"),
    ],
)
def test_attach_says_what_is_wrong(words, said):
    result = CliRunner().invoke(attach, words)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize("command", [expose, hide])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["10.2.1.300/24"], '"10.2.1.300/24" is not an IP address'),
        (["none"], '"none" leaves nothing to'),
        (["--backend", "x"], "'x' is not one of"),
    ],
)
def test_so_do_expose_and_hide(command, words, said):
    result = CliRunner().invoke(command, words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_words_of_a_command_line_give_its_options_again():
    given: list[Options] = []

    @click.command()
    @network_options
    def command(options: Options) -> None:
        given.append(options)

    options = Options(1376, False, "/opt/weave", Path("/etc/net.conflist"), "/opt/plugins")
    for each in (Options(), options):
        CliRunner().invoke(command, network_words(each), catch_exceptions=False)
    assert given == [Options(), options]
    assert network_words(Options()) == ()


@pytest.mark.parametrize("words", [[], ["--all", "c"]])
def test_detach_wants_a_container_or_all(words):
    result = CliRunner().invoke(detach, words)
    assert result.exit_code == 2
    assert "name a CONTAINER, or --all" in result.stderr
