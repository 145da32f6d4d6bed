"""python -m tests.bench: all measurements, as one table."""

from __future__ import annotations

from tests.bench import attach, docker_run, gate
from tests.bench.table import show

if __name__ == "__main__":
    print(show([*gate.rows(), *attach.rows(), *docker_run.rows()]))
