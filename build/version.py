"""What a build is of: its commit and date.

The version has one place, waitforweave/__init__.py; its date stands in CHANGELOG.md.
"""

from __future__ import annotations

import os
import subprocess

from build.bundle import ROOT


def source_date() -> int:
    """SOURCE_DATE_EPOCH, else the date of the commit; without git 0, which is 1970."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is not None:
        return int(given)
    return int(of_commit("%ct") or 0)


def revision() -> str:
    """The commit; without git "unknown"."""
    return of_commit("%H") or "unknown"


def of_commit(form: str) -> str:
    """What git says of the newest commit, "" without git."""
    words = ["git", "-C", str(ROOT), "log", "-1", f"--format={form}"]
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
