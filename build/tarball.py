"""python -m build.tarball: dist/wait-for-weave-VERSION-PLATFORM.tar.gz of dist/wait-for-weave/.

The same bundle gives the same bytes at any time, from any folder and any user.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
from pathlib import Path

from build import platforms, version
from build.bundle import DIST, ROOT
from waitforweave import __version__

DOCS = ROOT / "docs"
# What is in the tarball beside the bundle. The license: whoever passes it on passes this on.
BESIDE = {
    "LICENSE": ROOT / "LICENSE",
    "share/bash-completion/completions/wait-for-weave": DOCS / "completion/bash/wait-for-weave",
    "share/fish/vendor_completions.d/wait-for-weave.fish": (
        DOCS / "completion/fish/wait-for-weave.fish"
    ),
    "share/man/man1/wait-for-weave.1": DOCS / "man/wait-for-weave.1",
    "share/zsh/site-functions/_wait-for-weave": DOCS / "completion/zsh/_wait-for-weave",
}


def main() -> None:
    target = write(DIST)
    replaced(target.with_name(f"{target.name}.sha256"), sum_of(target).encode())
    size = target.stat().st_size / 1e6
    print(f"tarball: {target.relative_to(ROOT)}, {size:.1f} MB, and its .sha256")


def sum_of(path: Path) -> str:
    """A file's line as sha256sum(1) writes it, and reads it by --check."""
    return f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"


def write(folder: Path) -> Path:
    """The tarball in `folder`; its path."""
    top = platforms.here().release(__version__)
    target = folder / f"{top}.tar.gz"
    replaced(target, packed(DIST / "wait-for-weave", top, version.source_date()))
    return target


def replaced(target: Path, content: bytes) -> None:
    """At once: whoever copies it away meanwhile gets the old or the new one, whole."""
    new = target.with_name(f".{target.name}.{os.getpid()}")
    new.write_bytes(content)
    new.chmod(0o644)
    new.replace(target)


def packed(bundle: Path, top: str, date: int) -> bytes:
    """The bundle under one top folder, as .tar.gz."""
    buffer = io.BytesIO()
    # Neither a name nor the time of packing in gzip's header.
    with (
        gzip.GzipFile("", "wb", compresslevel=9, fileobj=buffer, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        add(tar, bundle, top, date)
        for path in sorted(bundle.rglob("*")):
            add(tar, path, f"{top}/{path.relative_to(bundle).as_posix()}", date)
        for name, path in BESIDE.items():
            add(tar, path, f"{top}/{name}", date)
    return buffer.getvalue()


def add(tar: tarfile.TarFile, path: Path, name: str, date: int) -> None:
    """One entry, with nothing of whoever made the file, and of when."""
    entry = tar.gettarinfo(path, name)
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mtime = date
    entry.mode = 0o755 if path.is_dir() or entry.mode & 0o100 else 0o644
    if entry.isfile():
        with path.open("rb") as file:
            tar.addfile(entry, file)
    else:
        tar.addfile(entry)


if __name__ == "__main__":
    main()
