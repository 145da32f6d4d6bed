"""JSON objects as the engine reads them: Go finds a field whatever the case of its key. Pure.

A value that nobody asks for stays the very text that it was: numbers of any size, floats, blanks.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

# Values are as `parse` leaves them (msgspec.Raw: not read yet), or as anybody has put them.
Object = dict[str, Any]

# Each escape of a JSON text, from left to right; half a surrogate pair is the one with a group.
ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


class NotAnObjectError(ValueError):
    """The text is no JSON object; the message says why."""


class MalformedError(ValueError):
    """A field is not of the type that the engine wants; it says so better than we do."""


def parse(text: str) -> Object:
    """The object that `text` holds, its keys in their order."""
    # Half a pair is U+FFFD for Go (encoding/json), and an error for msgspec.
    whole = ESCAPE.sub(lambda found: r"\ufffd" if found[1] else found[0], text)
    try:
        return msgspec.json.decode(whole, type=dict[str, msgspec.Raw])
    except RecursionError as error:
        raise NotAnObjectError("nested too deeply") from error
    except (msgspec.MsgspecError, UnicodeEncodeError) as error:
        raise NotAnObjectError(str(error)) from error


def dump(value: Object) -> str:
    return msgspec.json.encode(value).decode()


def key_of(value: Object, name: str) -> str:
    """The key that Go's decoder takes for the field `name`: the last that is alike but for case."""
    alike = [key for key in value if key.lower() == name.lower()]
    return alike[-1] if alike else name


def get(value: Object, name: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """The field's value, or None where it is absent or null. MalformedError."""
    return read(value, name, Any)


def get_object(value: Object, name: str) -> Object:
    """The field's object, {} where it is absent or null. MalformedError."""
    found: Object | None = read(value, name, dict[str, msgspec.Raw] | None)
    return {} if found is None else found


def read(value: Object, name: str, kind: Any) -> Any:  # noqa: ANN401
    found = value.get(key_of(value, name))
    if not isinstance(found, msgspec.Raw):
        return found
    try:
        return msgspec.json.decode(found, type=kind)
    except msgspec.MsgspecError as error:
        raise MalformedError(f"{name}: {error}") from error


def put(value: Object, name: str, new: object) -> None:
    """Set the field under the key that it has."""
    value[key_of(value, name)] = new
