"""The table of engines, and how one of a Debian suite is run; and the table that a run prints."""

from __future__ import annotations

import pytest

from tests.docker.proxy.test_proxy_differential import ALONE, TOGETHER, title
from tests.engines import podman
from tests.engines.__main__ import main, read, table
from tests.engines.roots import PACKAGES
from tests.support import engines

REPORT = """<testsuites><testsuite>
<testcase classname="a.b" name="good" />
<testcase classname="a.b" name="bad"><failure message="no">...</failure></testcase>
<testcase classname="a.b" name="worse"><error message="no">...</error></testcase>
<testcase classname="a.b" name="not"><skipped message="no buildx">...</skipped></testcase>
<testcase classname="a.b" name="nor"><skipped message="no buildx">...</skipped></testcase>
</testsuite></testsuites>"""


def test_a_table_of_how_it_went():
    outcome = read("trixie", REPORT)
    assert not outcome.good
    assert table([outcome]) == [
        "engine              passed  failed  skipped",
        "trixie                   1       2        2",
        "    failed: a.b::bad",
        "    failed: a.b::worse",
        "    skipped 2: no buildx",
    ]


def test_no_test_at_all_is_not_good():
    assert not read("trixie", "<testsuites/>").good


def test_an_unknown_engine_is_named_with_those_that_there_are(capsys):
    assert main(["trixi"]) == 2
    said = capsys.readouterr().err
    assert said == f"engines: no engine 'trixi'; there are: {', '.join(engines.KINDS)}\n"


def test_each_suite_has_its_packages():
    assert {kind.suite for kind in engines.KINDS.values()} == {None, *PACKAGES}


@pytest.fixture
def parent(monkeypatch, tmp_path):
    monkeypatch.setenv("WFW_ENGINES", str(tmp_path))
    return tmp_path


def test_this_machines_engine_and_client_are_run_as_they_are(monkeypatch):
    monkeypatch.delenv("WFW_TEST_ENGINE", raising=False)
    monkeypatch.delenv("WFW_TEST_CLIENT", raising=False)
    assert engines.chosen().in_root(["a", "b c"]) == ["a", "b c"]
    assert engines.client_environment() == {}


def test_docs_name_them_all():
    page = (engines.REPOSITORY / "docs/engines.md").read_text()
    assert [name for name in engines.KINDS if f"`{name}`" not in page] == []


def test_a_suites_engine_is_run_in_its_root(monkeypatch, parent):
    monkeypatch.setenv("WFW_TEST_ENGINE", "testing-min-1.44")
    monkeypatch.setenv("PATH", "/usr/bin")
    words = engines.chosen().in_root(["a", "b c"])
    assert words[:2] == ["unshare", "--mount"]
    assert f"cd {parent}/testing\npivot_root . .\n" in words[4]
    assert words[5:] == ["sh", "env", "DOCKER_MIN_API_VERSION=1.44", "a", "b c"]
    folder = f"{parent}/testing-client"
    assert engines.client_environment() == {"PATH": f"{folder}:/usr/bin", "DOCKER_CONFIG": folder}
    monkeypatch.setenv("WFW_TEST_CLIENT", "local")
    assert engines.client_environment() == {}


def test_scenes_that_podman_does_not_play_are_there():
    named = {scene for scenes in podman.SCENES.values() for scene in scenes}
    assert named - {title(play) for play in [*TOGETHER, *ALONE]} == set()
