"""The engine's merge of environments."""

from __future__ import annotations

import pytest

from waitforweave.docker.env import effective

# Each of these is asked of the engine itself in tests/docker/hooks/test_env_on_engine.py.
CASES = [
    ([], [], {}),
    (["A=1"], [], {"A": "1"}),
    (["A=1"], ["A=2"], {"A": "2"}),
    (["A=1", "B=2"], ["A"], {"B": "2"}),
    (["A=1"], ["A="], {"A": ""}),
    (["A=1"], ["a=2"], {"A": "1", "a": "2"}),
    ([], ["A=1", "A=2"], {"A": "2"}),
    ([], ["A=1", "A"], {"A": "1"}),
    ([], ["A=1", "A", "A=2"], {"A": "2"}),
    (["A=0"], ["A", "A=1"], {"A": "1"}),
    ([], ["A=b=c"], {"A": "b=c"}),
]


@pytest.mark.parametrize(("image", "container", "values"), CASES)
def test_container_entries_go_over_the_images(image, container, values):
    assert effective(image, container) == values
