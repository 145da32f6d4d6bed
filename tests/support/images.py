"""Images that need no registry: a busybox root, imported or built FROM scratch."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.docker_cli import DockerCli

BUSYBOX = "wfw-busybox"


def busybox_root(extra: Mapping[str, bytes] | None = None) -> bytes:
    """A tar of a root with static busybox under each of its names in /bin, and `extra` files."""
    program = shutil.which("busybox")
    assert program is not None
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        add_file(tar, "bin/busybox", Path(program).read_bytes())
        for name in (
            "sh",
            "cat",
            "echo",
            "env",
            "ip",
            "kill",
            "ls",
            "nc",
            "ping",
            "sleep",
            "true",
            "false",
            "id",
            "wc",
            "head",
            "date",
            "grep",
            "sed",
            "tr",
            "stty",
            "seq",
            "dd",
            "usleep",
            "touch",
            "rm",
            "mkdir",
            "cut",
            "awk",
            "readlink",
            "tty",
            "httpd",
            "wget",
        ):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        for folder in ("tmp", "etc", "proc", "sys", "dev", "root"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        for name, content in (extra or {}).items():
            add_file(tar, name, content)
    return buffer.getvalue()


def add_file(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o755) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def import_image(
    engine: DockerCli,
    name: str,
    *,
    root: bytes | None = None,
    entrypoint: Sequence[str] | None = None,
    cmd: Sequence[str] | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """`docker import` a root (busybox's by default) as image `name`, with this configuration."""
    changes = []
    if entrypoint is not None:
        changes.append(f"ENTRYPOINT {json.dumps(list(entrypoint))}")
    if cmd is not None:
        changes.append(f"CMD {json.dumps(list(cmd))}")
    changes += [f"ENV {key}={value}" for key, value in (env or {}).items()]
    flags = [word for change in changes for word in ("--change", change)]
    engine.docker("import", *flags, "-", name, stdin=root if root is not None else busybox_root())
    return name
