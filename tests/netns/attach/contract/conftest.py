"""The fixture `rig`: one after the other, each backend there is."""

from __future__ import annotations

import pytest

from tests.netns.attach.contract import rigs


@pytest.fixture(params=rigs.KINDS)
def rig(request, spaces, tmp_path, monkeypatch) -> rigs.Rig:
    return rigs.rig(request.param, spaces[0], tmp_path, monkeypatch)
