"""The parts as containers: what each may do and sees, as bodies for `containers/create`. Pure."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from waitforweave.docker.url import parse_engine_url
from waitforweave.launch.settings import (
    LaunchError,
    Settings,
    adapters_yml,
    clean_up_words,
    proxy_words,
    serve_words,
)

HOOKS_CONTAINER = "weavewait-hooks"
PROXY_CONTAINER = "weavewait-proxy"
RUN_VOLUME = "weavewait-run"
STATE_VOLUME = "weavewait-state"

PROGRAM = "/opt/weavewait/weavewait"
RUN_FOLDER = "/run/weavewait-hooks"
STATE_FOLDER = "/var/lib/weavewait"
HOOKS_URL = f"unix://{RUN_FOLDER}/hooks.sock"
CONFIG_NAME = "adapters.yml"
LABEL = "weavewait.launch"

# A container's network namespace is entered (setns wants SYS_ADMIN) and changed (NET_ADMIN),
# and found as /proc/PID/ns/net of a process that may be another user's (SYS_PTRACE).
HOOKS_CAPABILITIES = ["NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE"]
# The listening socket gets the engine socket's owner, in a folder that may be a user's own.
PROXY_CAPABILITIES = ["CHOWN", "DAC_OVERRIDE"]
# Where AppArmor or SELinux rule, their profiles for containers forbid a look into other
# containers' /proc and a connection to the engine's socket; elsewhere these words do nothing.
SECURITY = ["no-new-privileges", "apparmor=unconfined", "label=disable"]

# We read it until they are ready, which an engine's own choice may forbid ("none"), and they run
# for months.
LOG = {"Type": "json-file", "Config": {"max-size": "10m"}}

# What these backends run are the host's own programs.
HOST_ONLY = {
    "weave": "neither a shell nor the docker client for the command `weave`",
    "cni": "no libc for the plugins, nor the programs and folders of the host that they want",
}

Body = dict[str, Any]


def require_contained(settings: Settings) -> None:
    """LaunchError for a backend that cannot work in a container of our image."""
    if settings.backend in HOST_ONLY:
        raise LaunchError(
            f"the backend {settings.backend} cannot run in a container of the image, which has "
            f"{HOST_ONLY[settings.backend]}; add --host-process"
        )


def volume_body(settings: Settings) -> Body:
    """`weavewait`: holds /home/weavewait; nobody has to start it."""
    return {"Image": settings.image, "Labels": label(settings)}


def hooks_body(settings: Settings) -> Body:
    """`weavewait-hooks`: the host's network and processes, three capabilities, nothing to write."""
    host: Body = {
        "NetworkMode": "host",
        "PidMode": "host",
        "CapAdd": HOOKS_CAPABILITIES,
        "Binds": [
            f"{RUN_VOLUME}:{RUN_FOLDER}",
            f"{STATE_VOLUME}:{STATE_FOLDER}",
            *socket_binds(settings.engine),
        ],
    }
    return program_body(settings, serve_words(settings, HOOKS_URL, STATE_FOLDER), host)


def proxy_body(settings: Settings) -> Body:
    """`weavewait-proxy`: no network unless a TCP port was asked for or leads to the engine."""
    urls = (settings.engine, *settings.listen)
    tcp = any(parse_engine_url(url).scheme != "unix" for url in urls)
    folders = [f"{folder}:{folder}" for folder in listen_folders(settings)]
    engine = [bind for bind in socket_binds(settings.engine) if not shadowed(bind, folders)]
    host: Body = {
        "NetworkMode": "host" if tcp else "none",
        "CapAdd": PROXY_CAPABILITIES,
        "Binds": [f"{RUN_VOLUME}:{RUN_FOLDER}", *folders, *engine],
    }
    return program_body(settings, proxy_words(settings, f"{RUN_FOLDER}/{CONFIG_NAME}"), host)


def cleaner_body(settings: Settings) -> Body:
    """A container that takes bridge, links and addresses away, with the hook server's rights."""
    body = hooks_body(settings)
    words = clean_up_words(settings, STATE_FOLDER)
    return {**body, "Cmd": words, "HostConfig": {**body["HostConfig"], "RestartPolicy": {}}}


def config_text(settings: Settings) -> str:
    """The proxy's adapters.yml, as it stands in the run volume."""
    return adapters_yml(settings, HOOKS_URL)


def program_body(settings: Settings, words: list[str], host: Body) -> Body:
    """What both programs have in common: no right that is not listed, a root that is read-only."""
    common: Body = {
        "CapDrop": ["ALL"],
        "SecurityOpt": SECURITY,
        "ReadonlyRootfs": True,
        "LogConfig": LOG,
        # After a reboot the engine brings them back, before anybody needs them.
        "RestartPolicy": {"Name": "unless-stopped"},
    }
    return {
        "Image": settings.image,
        "Entrypoint": [PROGRAM],
        "Cmd": words,
        "Labels": label(settings),
        "HostConfig": {**common, **host},
    }


def label(settings: Settings) -> dict[str, str]:
    return {LABEL: settings.to_label()}


def socket_binds(engine: str) -> list[str]:
    """The engine's socket under the name that it has outside, so that messages name the same."""
    url = parse_engine_url(engine)
    return [f"{url.path}:{url.path}"] if url.scheme == "unix" else []


def listen_folders(settings: Settings) -> list[str]:
    """The folders of our sockets: a socket that does not exist yet cannot be mounted itself."""
    urls = [parse_engine_url(url) for url in settings.listen]
    folders = sorted({str(PurePosixPath(url.path).parent) for url in urls if url.scheme == "unix"})
    if "/" in folders:
        raise LaunchError("--listen: the socket cannot be in / itself; name a folder below it")
    return folders


def shadowed(bind: str, folders: list[str]) -> bool:
    """Whether the folder of this file is mounted already (and then survives the file's renewal)."""
    folder = str(PurePosixPath(bind.split(":", 1)[0]).parent)
    return f"{folder}:{folder}" in folders
