"""python -m tests.bench: all measurements, as one table."""

from __future__ import annotations

from tests.bench import attach, docker_run, flood, gate, many, proxy, sizes, waiting
from tests.bench.table import show

if __name__ == "__main__":
    modules = (sizes, gate, waiting, flood, attach, docker_run, proxy, many)
    print(show([row for module in modules for row in module.rows()]))
