"""What one launch is: for which engine, listening where, with which network; and its names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields

ADAPTER = "weave"
# What the hook server has made, in what a stop says that it takes away.
NETWORK = "the network"
# Hears what is done next, in words for a person.
Tell = Callable[[str], None]

# Powerstrip's "*" crosses "/", but "/*/containers/create" still wants a version before it: a
# client may leave it out (powerstrip-weave#4), so each rule stands there twice.
HOOKED = (
    ("POST", "containers/create", "pre"),
    ("POST", "containers/*/start", "post"),
    ("POST", "containers/*/restart", "post"),
)
# The settings that make the network what it is, and so the names and places of all that is kept.
NETWORK_KEYS = ("engine", "backend", "subnet", "network")
# What is not asked for costs no call to the adapter.
HOLD_EXEC = ("POST", "containers/*/exec", "pre")
SHOW_ADDRESSES = ("GET", "containers/*/json", "post")


class LaunchError(Exception):
    """What hinders the launch and what to do, for the person who typed it."""


@dataclass(frozen=True)
class Settings:
    """The options of `weavewait launch`, as they were given."""

    engine: str
    listen: tuple[str, ...]
    backend: str
    subnet: str
    image: str
    # Words of the command line that only some backends want.
    network: tuple[str, ...] = ()
    hold_exec: bool = False
    gate_all: bool = False
    show_addresses: bool = False
    # tcp://127.0.0.1:PORT, "" for none.
    page: str = ""

    def to_label(self) -> str:
        """All of it as one line of JSON; two launches are the same if these lines are."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_label(cls, text: str) -> Settings:
        # A newer version's has more: what it launched can be taken away by this one, too.
        known = {field.name for field in fields(cls)}
        values = {key: value for key, value in json.loads(text).items() if key in known}
        lists = {key: tuple(values.get(key, ())) for key in ("listen", "network")}
        return cls(**{**values, **lists})

    def same_network(self, other: Settings) -> bool:
        """Whether the other can go on with what this one has attached."""
        return all(getattr(self, key) == getattr(other, key) for key in NETWORK_KEYS)

    def require_engine(self, url: str) -> None:
        """LaunchError where this launch's own proxy is named as an engine: who takes it away
        through itself is cut off half-way, and its processes are not known by that name."""
        # A launch that was to listen where its engine does has failed, and is to be taken away.
        if url in self.listen and url != self.engine:
            raise LaunchError(
                f"{url} is the proxy of a launch, and no engine; its engine: --engine {self.engine}"
            )

    def differences(self, other: Settings) -> str:
        """For a person: "listen is A, not B; ...", or "" where nothing differs."""
        mine, theirs = asdict(self), asdict(other)
        return "; ".join(
            f"{key.replace('_', '-')} is {shown(mine[key])}, not {shown(theirs[key])}"
            for key in mine
            if mine[key] != theirs[key]
        )


def shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return (", ".join(value) if isinstance(value, tuple | list) else str(value)) or "none"


def engine_key(engine: str) -> str:
    """A short name for an engine's URL, good for a folder: several engines may be served."""
    return hashlib.sha256(engine.encode()).hexdigest()[:12]


def adapters_yml(settings: Settings, hooks_url: str) -> str:
    """The configuration of our own proxy: the adapter `weave` around create, start and restart,
    and around what else was asked for."""
    asked = [*[HOLD_EXEC] * settings.hold_exec, *[SHOW_ADDRESSES] * settings.show_addresses]
    lines = ["version: 1", "endpoints:"]
    for method, path, kind in (*HOOKED, *asked):
        for prefix in ("/*/", "/"):
            lines += [f'  "{method} {prefix}{path}":', f"    {kind}: [{ADAPTER}]"]
    lines += ["adapters:", f'  {ADAPTER}: "{hooks_url}"']
    return "\n".join(lines) + "\n"


def serve_words(settings: Settings, hooks_url: str, state: str) -> list[str]:
    """The command line of the hook server, without the program's own name."""
    flags = {
        "--hold-exec": settings.hold_exec,
        "--gate-all": settings.gate_all,
        "--show-addresses": settings.show_addresses,
    }
    return [
        "serve",
        f"--engine={settings.engine}",
        f"--listen={hooks_url}",
        *network_words(settings, state),
        f"--image={settings.image}",
        *[flag for flag, wanted in flags.items() if wanted],
        *([f"--page={settings.page}"] if settings.page else []),
    ]


def clean_up_words(settings: Settings, state: str) -> list[str]:
    """The command line that takes away all that the hook server made."""
    return ["detach", "--all", f"--engine={settings.engine}", *network_words(settings, state)]


def network_words(settings: Settings, state: str) -> list[str]:
    return [
        f"--backend={settings.backend}",
        f"--subnet={settings.subnet}",
        f"--state={state}",
        *settings.network,
    ]


def proxy_words(settings: Settings, config: str) -> list[str]:
    """The command line of the proxy, without the program's own name."""
    listen = [f"--listen={url}" for url in settings.listen]
    return ["proxy", f"--engine={settings.engine}", f"--config={config}", *listen]
