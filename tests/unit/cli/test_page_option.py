"""--page: where the live page may be, and how that is typed."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from waitforweave.cli import launch as launch_module
from waitforweave.cli.main import weavewait
from waitforweave.launch.settings import Settings


def typed(*words: str) -> Result:
    return CliRunner().invoke(weavewait, words)


@pytest.fixture
def launched(monkeypatch) -> list[Settings]:
    """What would be launched."""
    found: list[Settings] = []

    async def noted(settings: Settings, *_: object) -> list[str]:
        found.append(settings)
        return []

    monkeypatch.setattr(launch_module, "bring_up", noted)
    return found


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("127.0.0.1:8008", "tcp://127.0.0.1:8008"),
        ("tcp://127.0.0.1:8008", "tcp://127.0.0.1:8008"),
        ("http://localhost:8008/", "tcp://localhost:8008"),
        ("[::1]:8008", "tcp://[::1]:8008"),
    ],
)
def test_as_one_types_it_into_a_browser(launched, text, url):
    said = typed("launch", "--page", text)
    assert [settings.page for settings in launched] == [url]
    assert said.stderr.endswith(f"launch: page at {url.replace('tcp', 'http')}/\n"), said.stderr
    assert said.stdout.startswith("export DOCKER_HOST=")


def test_there_is_none_that_nobody_asked_for(launched):
    assert "page" not in typed("launch").output
    assert [settings.page for settings in launched] == [""]


@pytest.mark.parametrize("command", ["launch", "serve"])
@pytest.mark.parametrize("text", ["8008", "127.0.0.1", "unix:///a.sock", "127.0.0.1:x", ""])
def test_what_is_no_address_is_refused_with_what_is_allowed(command, text):
    refused = typed(command, "--page", text)
    assert refused.exit_code == 2
    assert f'"{text}": allowed: 127.0.0.1:PORT or [::1]:PORT' in refused.output


@pytest.mark.parametrize("address", ["0.0.0.0:8008", "10.2.1.5:8008", "[::]:8008", "a.example:80"])
def test_it_is_for_this_host_only(launched, address, tmp_path):
    listen = f"unix://{tmp_path}/h.sock"
    for words in (["launch"], ["serve", "--listen", listen, "--state", str(tmp_path)]):
        refused = typed(*words, "--page", address)
        assert refused.exit_code == 2
        assert f'"{address}": allowed: 127.0.0.1:PORT or [::1]:PORT' in refused.output
    assert launched == []
