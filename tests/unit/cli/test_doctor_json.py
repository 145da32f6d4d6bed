"""doctor --json, whatever the environment holds."""

from __future__ import annotations

import json

from waitforweave.cli.doctor import json_of
from waitforweave.doctor.check import ok


def test_what_is_no_utf8_is_still_json():
    text = json_of([ok("client", "DOCKER_HOST names unix:///\udcff, in Zürich")])
    assert json.loads(text.encode())["checks"][0]["said"] == (
        "DOCKER_HOST names unix:///\udcff, in Zürich"
    )
