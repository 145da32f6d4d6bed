"""Roots of containers by their libc, each with /address, which prints ethwe's address."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from tests.support import debs, images
from tests.support.compiled import GLIBC, MUSL, compiled

OLDEST_GLIBC = f"{GLIBC}.2.17"  # that the dynamic program asks for


def with_files(root: bytes, files: Mapping[str, Path]) -> bytes:
    """The root, and these files of this machine's in it; an empty one is no root at all."""
    buffer = io.BytesIO(root)
    with tarfile.open(fileobj=buffer, mode="a" if root else "w") as tar:
        for name, file in files.items():
            images.add_file(tar, name, file.read_bytes())
    return buffer.getvalue()


def scratch() -> bytes:
    """Nothing but the static program."""
    return with_files(b"", {"address": compiled("address")})


def busybox() -> bytes:
    return with_files(images.busybox_root(), {"address": compiled("address")})


def musl() -> bytes:
    """Debian's musl and a program that needs it. debs.NotToBeHadError."""
    loader = f"/lib/ld-musl-{MUSL.partition('-')[0]}.so.1"
    program = compiled("address", MUSL, f"-Wl,--dynamic-linker={loader}", "-dynamic")
    return with_files(debs.root(debs.codename(), "musl"), {"address": program})


def glibc(suite: str) -> bytes:
    """The libc of a Debian suite, its sh, and a program that needs both. debs.NotToBeHadError."""
    program = compiled("address", OLDEST_GLIBC, "-dynamic")
    return with_files(debs.root(suite, "libc6", "dash"), {"address": program})
