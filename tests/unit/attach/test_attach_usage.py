"""What the commands refuse before they ask an engine: usage, exit code 2."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from waitforweave.cli.attach import command as attach
from waitforweave.cli.detach import command as detach


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
    ],
)
def test_attach_says_what_is_wrong(words, said):
    result = CliRunner().invoke(attach, words)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize("words", [[], ["--all", "c"]])
def test_detach_wants_a_container_or_all(words):
    result = CliRunner().invoke(detach, words)
    assert result.exit_code == 2
    assert "name a CONTAINER, or --all" in result.stderr
