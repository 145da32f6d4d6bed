"""Version, commit and date of a build: each has one place."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from build import version
from waitforweave import __version__

ROOT = Path(__file__).resolve().parents[3]
DATE = 1_700_000_000


def test_the_date_is_the_commits_unless_it_is_given(monkeypatch, tmp_path):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "12345")
    assert version.source_date() == 12345
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "x"]):
        who = ["-c", "user.name=x", "-c", "user.email=x"]
        environment = {**os.environ, "GIT_COMMITTER_DATE": f"{DATE} +0000"}
        subprocess.run(["git", *who, "-C", tmp_path, *words], env=environment, check=True)
    monkeypatch.setattr(version, "ROOT", tmp_path)
    assert version.source_date() == DATE


def test_without_git_the_date_is_fixed_too(monkeypatch, tmp_path):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setattr(version, "ROOT", tmp_path)
    # The temporary folder may lie in a repository.
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert version.source_date() == 0
    monkeypatch.setenv("PATH", str(tmp_path))
    assert version.source_date() == 0


def test_without_git_the_commit_is_unknown(monkeypatch, tmp_path):
    monkeypatch.setattr(version, "ROOT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert version.revision() == "unknown"


def test_no_other_file_knows_the_version():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout
    if not listed:
        pytest.skip("no git repository")
    # What is generated from it, and compared with it; and versions of other things.
    known = ("waitforweave/__init__.py", "CHANGELOG.md", "docs/man/", "build/constraints.txt")
    names = [name for name in listed.split("\0") if name and not name.startswith(known)]
    texts = {name: (ROOT / name).read_bytes() for name in names if (ROOT / name).is_file()}
    assert [name for name, text in texts.items() if __version__.encode() in text] == []
