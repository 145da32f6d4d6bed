"""A CNI network's configuration: read, checked, and made into what each plugin is asked. Pure,
but for the reading of the file.

https://www.cni.dev/docs/spec/, sections 1 and 3.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waitforweave.attach.backend import AttachError

Json = dict[str, Any]

VERSIONS = ("0.4.0", "1.0.0", "1.1.0")
SUFFIXES = (".conflist", ".conf", ".json")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*")


@dataclass(frozen=True)
class Chain:
    """A network: its plugins in the order of ADD. `checks`: whether CHECK is wanted."""

    name: str
    version: str
    plugins: tuple[Json, ...]
    checks: bool

    def takes_addresses(self) -> bool:
        """Whether a plugin has the capability to be told which."""
        return any(has_ips(plugin) for plugin in self.plugins)

    def programs(self) -> list[str]:
        """The names of all plugins that will be run, also by other plugins."""
        types = [plugin["type"] for plugin in self.plugins]
        ipams = [(plugin.get("ipam") or {}).get("type") for plugin in self.plugins]
        return list(dict.fromkeys(filter(None, types + ipams)))


def load(path: Path) -> Chain:
    """The network of this file; of a folder, that of its first file in the order of names, as
    clusters do it. AttachError names the file."""
    try:
        if path.is_dir():
            path = first_of(path)
        return parse(path.read_text())
    except OSError as error:
        raise AttachError(f"CNI configuration {path}: {error.strerror}") from error
    except ValueError as error:
        raise AttachError(f"CNI configuration {path}: {error}") from error


def first_of(folder: Path) -> Path:
    files = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
    if not files:
        raise AttachError(f"CNI configuration {folder}: no *.conflist, *.conf or *.json in there")
    return files[0]


def parse(text: str) -> Chain:
    """ValueError says what is wrong."""
    whole = require(json.loads(text), dict, "the whole")
    # One plugin alone is the older form.
    plugins = [whole] if "type" in whole else require(whole.get("plugins"), list, '"plugins"')
    version = whole.get("cniVersion")
    if version not in VERSIONS:
        raise ValueError(f'"cniVersion" is {version!r}; allowed: {", ".join(VERSIONS)}')
    name = require(whole.get("name"), str, '"name"')
    if not NAME.fullmatch(name):
        raise ValueError(f'"name" is {name!r}; letters, digits, "_", "." and "-" are allowed')
    if not plugins:
        raise ValueError('"plugins" is empty')
    for number, plugin in enumerate(plugins):
        require_plugin(plugin, f'"plugins[{number}]')
    return Chain(name, version, tuple(plugins), whole.get("disableCheck") is not True)


def require_plugin(plugin: object, place: str) -> None:
    found = require(plugin, dict, f'{place}"')
    require_program(found.get("type"), f'{place}.type"')
    require(found.get("capabilities", {}), dict, f'{place}.capabilities"')
    ipam = require(found.get("ipam", {}), dict, f'{place}.ipam"')
    if "type" in ipam:
        require_program(ipam["type"], f'{place}.ipam.type"')


def require_program(name: object, place: str) -> None:
    text = require(name, str, place)
    if not text or "/" in text or text.startswith("."):
        raise ValueError(f"{place} is {text!r}, not the name of a plugin")


def require(value: Any, kind: type, place: str) -> Any:  # noqa: ANN401 - whatever JSON has
    if not isinstance(value, kind):
        names: dict[type, str] = {dict: "an object", list: "a list", str: "a string"}
        raise ValueError(f"{place} is not {names[kind]}")
    return value


def has_ips(plugin: Json) -> bool:
    return (plugin.get("capabilities") or {}).get("ips") is True


def request(chain: Chain, plugin: Json, ips: Sequence[str], previous: Json | None) -> Json:
    """What one plugin gets on its standard input."""
    asked: Json = {**plugin, "name": chain.name, "cniVersion": chain.version}
    if ips and has_ips(plugin):
        asked["runtimeConfig"] = {"ips": [*ips]}
    if previous is not None:
        asked["prevResult"] = previous
    return asked


def arguments(chain: Chain, ips: Sequence[str]) -> str:
    """CNI_ARGS: the older way to name addresses, where no plugin has the newer one. Plugins that
    do not know IP are told to pass over it."""
    if not ips or chain.takes_addresses():
        return ""
    return f"IgnoreUnknown=1;IP={','.join(ips)}"
