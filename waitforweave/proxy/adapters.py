"""adapters.yml: which adapters are called around which calls. Each error names line and key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import yaml

VERSION = 1
DEFAULT_PATH = "/v1/extension"
ENDPOINT = re.compile(r"[A-Z*?!\[\]-]+ [/*?\[]\S*")
URLS = "allowed: http://HOST[:PORT]/PATH, https://..., or unix:///SOCKET[:/PATH]"
# The file, a section, an endpoint, its lists. Deeper there is nothing to find, but an alias may
# lead back up (&a {b: *a}), and round for ever.
DEPTH = 3
Lines = dict[tuple[str, ...], int]


class ConfigError(Exception):
    """What is wrong in the configuration, where, and what is allowed."""


@dataclass(frozen=True)
class Adapter:
    """An adapter's name, its URL as written, and how it is reached: by `socket` if that is set."""

    name: str
    url: str
    http_url: str
    socket: str | None = None


@dataclass(frozen=True)
class Endpoint:
    """A rule: the glob over "METHOD /path", and the adapters before and after the call."""

    pattern: str
    pre: tuple[Adapter, ...]
    post: tuple[Adapter, ...]


class Hooks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an endpoint's entry may hold."""

    pre: list[str] = []
    post: list[str] = []


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file may hold; entries are looked at one by one, for the sake of messages."""

    endpoints: dict[str, Any]
    adapters: dict[str, Any]
    version: int = VERSION


def load(path: Path) -> tuple[Endpoint, ...]:
    """The rules of the file, in its order. ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    try:
        return parse(text)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def parse(text: str) -> tuple[Endpoint, ...]:
    """The rules of this text. ConfigError."""
    values, lines = read_yaml(text)
    document = read_document(values, lines)
    adapters = {
        name: adapter(name, url, line_of(lines, "adapters", name))
        for name, url in document.adapters.items()
    }
    return tuple(
        endpoint(pattern, value, adapters, line_of(lines, "endpoints", pattern))
        for pattern, value in document.endpoints.items()
    )


def read_yaml(text: str) -> tuple[object, Lines]:
    """What the text holds, and the line of each key. ConfigError."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        lines = dict(key_lines(root)) if root is not None else {}
        return yaml.safe_load(text), lines
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise ConfigError(f"{where}no YAML: {getattr(error, 'problem', None) or error}") from error
    except RecursionError as error:
        raise ConfigError("nested too deeply") from error


def read_document(values: object, lines: Lines) -> Document:
    """The file's sections. ConfigError."""
    try:
        # An empty file lacks its keys; that it is "null" says nothing to anybody.
        document = msgspec.convert({} if values is None else values, Document)
    except msgspec.ValidationError as error:
        # msgspec names the key, as "unknown field `x`" or "at `$.x`"; the line is ours to add.
        named = re.findall(r"`(?:\$\.)?([^`$]+)`", str(error))
        line = lines.get((named[-1],)) if named else None
        where = "" if line is None else f"line {line}: "
        raise ConfigError(f"{where}{error}; allowed: endpoints, adapters, version") from error
    if document.version != VERSION:
        line = lines[("version",)]
        raise ConfigError(f"line {line}: version is {document.version}; allowed: {VERSION}")
    return document


def line_of(lines: Lines, section: str, key: str) -> int:
    """The key's own line, or its section's where YAML brought it from elsewhere ("<<")."""
    return lines.get((section, key), lines[(section,)])


def key_lines(node: yaml.Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    """The line of each key, by its path. ConfigError for a key that stands there twice: YAML
    would silently keep the last (powerstrip#68)."""
    if not isinstance(node, yaml.MappingNode) or len(path) == DEPTH:
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name in seen:
            raise ConfigError(f'line {line}: "{name}" stands in line {seen[name]} already')
        seen[name] = line
        yield (*path, name), line
        yield from key_lines(value, (*path, name))


def endpoint(pattern: str, value: object, adapters: dict[str, Adapter], line: int) -> Endpoint:
    """One rule. ConfigError."""
    where = f'line {line}: endpoint "{pattern}"'
    if not ENDPOINT.fullmatch(pattern):
        raise ConfigError(f'{where}: allowed: "METHOD /path", each may be a shell glob')
    try:
        hooks = msgspec.convert({} if value is None else value, Hooks)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {error}; allowed: pre, post, lists of adapters") from error
    if not hooks.pre and not hooks.post:
        raise ConfigError(f"{where}: names no adapter; it needs pre or post or both")
    for name in (*hooks.pre, *hooks.post):
        if name not in adapters:
            known = ", ".join(sorted(adapters)) or "none"
            raise ConfigError(f'{where}: no adapter "{name}"; defined: {known}')
    pre, post = (tuple(adapters[name] for name in names) for names in (hooks.pre, hooks.post))
    return Endpoint(pattern, pre, post)


def adapter(name: str, url: object, line: int) -> Adapter:
    """How the adapter at this URL is reached. ConfigError."""
    where = f'line {line}: adapter "{name}": '
    if not isinstance(url, str):
        raise ConfigError(f"{where}its URL is no text; {URLS}")
    if url.startswith("unix://"):
        socket, _, path = url.removeprefix("unix://").partition(":")
        if not socket.startswith("/") or (path and not path.startswith("/")):
            raise ConfigError(f'{where}"{url}" is no URL of an adapter; {URLS}')
        return Adapter(name, url, f"http://adapter{path or DEFAULT_PATH}", socket)
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ConfigError(f'{where}"{url}": {error}; {URLS}') from error
    if parts.scheme not in ("http", "https") or not parts.host:
        raise ConfigError(f'{where}"{url}" is no URL of an adapter; {URLS}')
    return Adapter(name, url, url)
