"""The engine's merge of environments."""

from __future__ import annotations

import pytest

from waitforweave.docker.env import effective

CASES = [
    ([], [], {}),
    (["A=1"], [], {"A": "1"}),
    (["A=1"], ["A=2"], {"A": "2"}),
    (["A=1", "B=2"], ["A"], {"B": "2"}),
    ([], ["A=1", "A=2"], {"A": "2"}),
    ([], ["A=1", "A"], {}),
    ([], ["A", "A=1"], {"A": "1"}),
    (["A="], [], {"A": ""}),
    (["A=b=c"], [], {"A": "b=c"}),
]


@pytest.mark.parametrize(("image", "container", "values"), CASES)
def test_container_entries_go_over_the_images(image, container, values):
    assert effective(image, container) == values
