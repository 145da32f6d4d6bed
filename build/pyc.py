"""python -sSP build/pyc.py: compile modules; stdin is JSON, [[source, target, module name]...].

What marshal writes as a reference depends on what else holds the same string, that is, on all that
the process did before: so this is one process, always the same, for all of them.
"""

import json
import py_compile
import sys

for source, target, name in json.load(sys.stdin):
    py_compile.compile(
        source,
        target,
        # Without paths of this machine, docstrings, asserts and times.
        dfile=f"{name.replace('.', '/')}.py",
        doraise=True,
        optimize=2,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
