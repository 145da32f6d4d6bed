"""The fixture `rig`: one after the other, each backend there is."""

from __future__ import annotations

import pytest

from tests.netns.attach.contract import rigs


@pytest.fixture(params=["bridge", "weave", "cni"])
def rig(request, spaces, tmp_path, monkeypatch) -> rigs.Rig:
    if request.param == "weave":
        return rigs.weave(spaces[0], tmp_path, monkeypatch)
    made = {"bridge": rigs.bridge, "cni": rigs.cni}
    return made[request.param](spaces[0], tmp_path)
