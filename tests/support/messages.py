"""The error messages of the project, read from its source: docs/errors.md has each of them.

The rule: what is given as text to an exception of ours (or to the built-in ones that we raise with
words of our own), to the helpers that make one, to a log line of warning or above, and to the
gate's `say` where the wait ends badly; and the values of a table HINTS. A name stands for what it
is assigned in the same function, also within an f-string if that is one text; several at once are
one each. Values are "..."; a message with no word of its own (`f"{path}: {error}"`) passes
another's on, and is none.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / "waitforweave"

# Which argument is the text; the first, unless it stands here.
PLACES = {
    **dict.fromkeys(("HookError", "EngineError", "CommandError", "WeaveCidrError", "OSError"), 1),
    **dict.fromkeys(("HeadError", "log"), 1),
    **dict.fromkeys(("refusal", "nonsense", "wrong", "say", "failed"), 1),
    "_failed": 2,
}
HELPERS = {
    *("refusal", "nonsense", "wrong", "say", "fail", "failed", "_failed", "Failed"),
    "NetlinkFailed",
}
# What the gate says otherwise is no error.
BAD_ENDS = {"'error'", "'timeout'", "'hopeless'", "'signal'"}
# "log" is told its level: whatever may be a warning.
LEVELS = {"warning", "error", "exception", "critical", "log"}
# Values that are one word of the project's own, and read better than "...".
SHORT = 12


def messages() -> dict[str, set[str]]:
    """The templates, by the room that they are said in."""
    found: dict[str, set[str]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        room = path.relative_to(ROOT).parts[0]
        found.setdefault(room, set()).update(messages_of(path))
    return {room: texts for room, texts in found.items() if texts}


def messages_of(path: Path) -> Iterator[str]:
    module = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
    tree = ast.parse(path.read_text())
    for table in tree.body:
        if isinstance(table, ast.Assign) and is_named(table, "HINTS"):
            assert isinstance(table.value, ast.Dict)
            yield from (shown(str(ast.literal_eval(value))) for value in table.value.values)
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in own_nodes(scope):
                if isinstance(node, ast.Call) and (text := text_of(node)) is not None:
                    yield from filter(None, templates(text, scope, module))


def own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """Without those of functions inside, which are scopes of their own."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from own_nodes(child)


def text_of(call: ast.Call) -> ast.expr | None:
    """The argument that is the message, if the call says one."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    is_log = name in LEVELS and ast.unparse(call.func).startswith("log.")
    if name == "say" and ast.unparse(call.args[0]) not in BAD_ENDS:
        return None
    if not (is_log or name in HELPERS or name.endswith("Error")):
        return None
    # An OSError may have no errno.
    place = min(PLACES.get(name, 0), len(call.args) - 1)
    return call.args[place] if call.args else None


def templates(text: ast.expr, scope: ast.AST, module: str) -> Iterator[str]:
    """What this expression may say."""
    if isinstance(text, ast.Name):
        for value in assigned(text.id, scope):
            yield from templates(value, scope, module)
    elif isinstance(text, ast.IfExp):
        yield from templates(text.body, scope, module)
        yield from templates(text.orelse, scope, module)
    elif isinstance(text, ast.Starred):
        yield from templates(text.value, scope, module)
    elif isinstance(text, ast.GeneratorExp):
        yield from templates(text.elt, scope, module)
    elif isinstance(text, ast.Call) and isinstance(text.func, ast.Attribute):
        yield from templates(text.func.value, scope, module) if text.func.attr == "values" else ()
    elif isinstance(text, ast.Constant) and isinstance(text.value, str):
        yield shown(re.sub(r"%[sd]", "...", text.value))
    elif isinstance(text, ast.JoinedStr):
        yield shown("".join(piece(part, scope, module) for part in text.values))


def assigned(name: str, scope: ast.AST) -> list[ast.expr]:
    """All that this function gives to the name."""
    return [
        node.value
        for node in own_nodes(scope)
        if isinstance(node, ast.Assign | ast.AugAssign) and is_named(node, name)
    ]


def is_named(node: ast.Assign | ast.AugAssign, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    names = [each.value if isinstance(each, ast.Subscript) else each for each in targets]
    return any(isinstance(each, ast.Name) and each.id == name for each in names)


def piece(part: ast.expr, scope: ast.AST, module: str) -> str:
    """A piece of an f-string: its text, a constant's value, a name's one text, or "..."."""
    if isinstance(part, ast.Constant):
        return str(part.value)
    assert isinstance(part, ast.FormattedValue)
    name = ast.unparse(part.value)
    if name.isupper():
        value = getattr(importlib.import_module(module), name, None)
        if isinstance(value, str) and len(value) <= SHORT:
            return value
    match assigned(name, scope):
        case [ast.Constant(value=str(text))]:
            return text
        case [ast.JoinedStr(values=parts)]:
            return "".join(piece(each, scope, module) for each in parts)
    return "..."


def shown(text: str) -> str:
    """One line, without what all messages of a part begin with; "" for no word of its own."""
    line = re.sub(r"(\.\.\.)+", "...", " ".join(text.split()))
    line = re.sub(r"^weavewait( [a-z]+)?: ", "", line)
    return line if re.search(r"[A-Za-z]{2}", line.replace("...", "")) else ""
