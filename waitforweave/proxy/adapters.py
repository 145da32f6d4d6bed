"""adapters.yml: which adapters are called around which calls. Each error names line and key."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import yaml

VERSION = 1
DEFAULT_PATH = "/v1/extension"
LAST_PORT = 65535
ENDPOINT = re.compile(r"[A-Z*?!\[\]-]+ [/*?\[]\S*")
URLS = "allowed: http://HOST[:PORT]/PATH, https://..., or unix:///SOCKET[:/PATH]"
# The file, a section, an endpoint, its lists. Deeper there is nothing to find, but an alias may
# lead back up (&a {b: *a}), and round for ever.
DEPTH = 3
Lines = dict[tuple[str, ...], int]


class ConfigError(Exception):
    """What is wrong in the configuration, where, and what is allowed: an argument each."""

    def __str__(self) -> str:
        return "; ".join(self.args)


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


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
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
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    except ConfigError as error:
        raise ConfigError(*(f"{path}: {problem}" for problem in error.args)) from error


def parse(text: str) -> tuple[Endpoint, ...]:
    """The rules of this text. ConfigError with all that is wrong, as far as it can be read."""
    values, lines = read_yaml(text)
    document = read_document(values, lines)
    problems: list[str] = []
    adapters: dict[str, Adapter] = {}
    for name, url in document.adapters.items():
        with noted(problems):
            adapters[name] = adapter(name, url, line_of(lines, "adapters", name))
    entries: dict[str, Entry] = {}
    for pattern, value in document.endpoints.items():
        with noted(problems):
            line = line_of(lines, "endpoints", pattern)
            entries[pattern] = read_entry(pattern, value, document.adapters, line)
    if problems:
        raise ConfigError(*problems)
    return tuple(
        Endpoint(
            pattern,
            tuple(adapters[name] for name in entry.pre),
            tuple(adapters[name] for name in entry.post),
        )
        for pattern, entry in entries.items()
    )


@contextmanager
def noted(problems: list[str]) -> Iterator[None]:
    """What is wrong here goes to the others: a person wants to know of all of them at once."""
    try:
        yield
    except ConfigError as error:
        problems.extend(error.args)


def summary(endpoints: Collection[Endpoint]) -> str:
    """What these rules are, in a few words: "2 endpoints; adapters: weave (http://...)"."""
    called = {each: None for rule in endpoints for each in (*rule.pre, *rule.post)}
    names = ", ".join(f"{adapter.name} ({adapter.url})" for adapter in called) or "none"
    plural = "" if len(endpoints) == 1 else "s"
    return f"{len(endpoints)} endpoint{plural}; adapters: {names}"


class Values(yaml.SafeLoader):
    """YAML's values; one that is none of its kind is an error with its line, as all others are:
    PyYAML lets Python's own pass (2001-99-99, 0x_)."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError, AttributeError) as error:
            problem = f'"{node.value[:80]}" is no {node.tag.rpartition(":")[2]}'
            raise yaml.constructor.ConstructorError(
                problem=problem, problem_mark=node.start_mark
            ) from error


def read_yaml(text: str) -> tuple[object, Lines]:
    """What the text holds, and the line of each key. ConfigError."""
    try:
        loader = Values(text)
        root = loader.get_single_node()
        if root is None:
            return None, {}
        lines = lines_of(root)  # First: a merge ("<<") is not there any more in what is read.
        return loader.construct_document(root), lines
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
        line = line_of(lines, "version")
        raise ConfigError(f"line {line}: version is {document.version}; allowed: {VERSION}")
    return document


def line_of(lines: Lines, *path: str) -> int:
    """The key's own line, or that of what YAML brought it with from elsewhere: its section's, or
    that of "<<"."""
    return next(lines[place] for place in (path, path[:1], ("<<",)) if place in lines)


def lines_of(root: yaml.Node) -> Lines:
    """The line of each key, by its path. ConfigError for keys that stand there twice: YAML would
    silently keep the last (powerstrip#68)."""
    lines: Lines = {}
    problems: dict[tuple[str, ...], str] = {}
    for path, line in key_lines(root):
        if path not in lines:
            lines[path] = line
        elif path[:-1] not in problems:  # What is below a key that is told of, is told with it.
            problems[path] = f'line {line}: "{path[-1]}" stands in line {lines[path]} already'
    if problems:
        raise ConfigError(*problems.values())
    return lines


def key_lines(node: yaml.Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    """Each key's path and its line, in the file's order."""
    if not isinstance(node, yaml.MappingNode) or len(path) == DEPTH:
        return
    for key, value in node.value:
        name = str(key.value)
        yield (*path, name), key.start_mark.line + 1
        yield from key_lines(value, (*path, name))


def read_entry(pattern: str, value: object, adapters: Collection[str], line: int) -> Entry:
    """The lists of one rule. ConfigError."""
    where = f'line {line}: endpoint "{pattern}"'
    if not ENDPOINT.fullmatch(pattern):
        raise ConfigError(f'{where}: allowed: "METHOD /path", each may be a shell glob')
    try:
        entry = msgspec.convert({} if value is None else value, Entry)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {error}; allowed: pre, post, lists of adapters") from error
    if not entry.pre and not entry.post:
        raise ConfigError(f"{where}: names no adapter; it needs pre or post or both")
    known = ", ".join(sorted(adapters)) or "none"
    unknown = [name for name in dict.fromkeys((*entry.pre, *entry.post)) if name not in adapters]
    if unknown:
        raise ConfigError(*(f'{where}: no adapter "{name}"; defined: {known}' for name in unknown))
    return entry


def adapter(name: str, url: object, line: int) -> Adapter:
    """How the adapter at this URL is reached. ConfigError."""
    where = f'line {line}: adapter "{name}": '
    if not isinstance(url, str):
        raise ConfigError(f"{where}its URL is no text; {URLS}")
    no_url = f'{where}"{url}" is no URL of an adapter; {URLS}'
    if not url.isprintable():  # Half a pair of surrogates ("\ud800") is nothing that can be sent.
        raise ConfigError(no_url)
    http_url, socket = url, None
    if url.startswith("unix://"):
        socket, _, path = url.removeprefix("unix://").partition(":")
        if not socket.startswith("/") or (path and not path.startswith("/")):
            raise ConfigError(no_url)
        http_url = f"http://adapter{path or DEFAULT_PATH}"
    try:
        parts = httpx.URL(http_url)
    except httpx.InvalidURL as error:
        raise ConfigError(f'{where}"{url}": {error}; {URLS}') from error
    if parts.scheme not in ("http", "https") or not parts.host or (parts.port or 0) > LAST_PORT:
        raise ConfigError(no_url)
    return Adapter(name, url, http_url, socket)
