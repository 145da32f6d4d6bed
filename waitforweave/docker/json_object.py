"""JSON objects as the engine reads them: Go finds a field whatever the case of its key. Pure."""

from __future__ import annotations

import json
from typing import Any, NoReturn

Object = dict[str, Any]


class NotAnObjectError(ValueError):
    """The text is no JSON object; the message says why."""


def parse(text: str) -> Object:
    """The object that `text` holds; its keys keep their order, its integers their size."""
    try:
        value = json.loads(text, parse_constant=refuse_constant)
    except RecursionError as error:
        raise NotAnObjectError("nested too deeply") from error
    except ValueError as error:
        raise NotAnObjectError(str(error)) from error
    if not isinstance(value, dict):
        raise NotAnObjectError("not a JSON object")
    return value


def refuse_constant(name: str) -> NoReturn:
    """Python's parser would take NaN and Infinity, which are no JSON."""
    raise ValueError(f"{name} is no JSON")


def dump(value: Object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def key_of(value: Object, name: str) -> str:
    """The key that Go's decoder takes for the field `name`: the last that is alike but for case."""
    alike = [key for key in value if key.lower() == name.lower()]
    return alike[-1] if alike else name


def get(value: Object, name: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """The field's value, or None where it is absent or null."""
    return value.get(key_of(value, name))


def put(value: Object, name: str, new: object) -> None:
    """Set the field under the key that it has."""
    value[key_of(value, name)] = new
