"""python -sSP -X no_debug_ranges build/pyc.py: compile modules; stdin is JSON,
[[source, target, module name]...].

What marshal writes as a reference depends on what else holds the same string, that is, on all that
the process did before: so this is one process, always the same, for all of them.

Nothing that is compiled here reads annotations, docstrings, asserts or column numbers, and each
waiting gate would hold them in memory.
"""

import ast
import importlib.util
import json
import marshal
import sys
from pathlib import Path

UNCHECKED_HASH = (1).to_bytes(4, "little")  # PEP 552


class Bare(ast.NodeTransformer):
    """The same without annotations."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assign([node.target], node.value, lineno=node.lineno), node)


def compiled(source: bytes, name: str) -> bytes:
    """A .pyc, without paths of this machine and without times."""
    tree = ast.fix_missing_locations(Bare().visit(ast.parse(source)))
    code = compile(tree, f"{name.replace('.', '/')}.py", "exec", dont_inherit=True, optimize=2)
    head = importlib.util.MAGIC_NUMBER + UNCHECKED_HASH + importlib.util.source_hash(source)
    return head + marshal.dumps(code)


if __name__ == "__main__":
    for source, target, name in json.load(sys.stdin):
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        Path(target).write_bytes(compiled(Path(source).read_bytes(), name))
