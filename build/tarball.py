"""python -m build.tarball: dist/wait-for-weave-VERSION-PLATFORM.tar.gz of dist/wait-for-weave/.

The same bundle gives the same bytes at any time, from any folder and any user.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import tarfile
from pathlib import Path

from build import platforms
from build.bundle import DIST, ROOT
from waitforweave import __version__

# What is in the tarball beside the bundle: whoever passes it on passes this on.
LICENSE = ROOT / "LICENSE"


def main() -> None:
    top = platforms.here().release(__version__)
    content = packed(DIST / "wait-for-weave", top, source_date())
    target = DIST / f"{top}.tar.gz"
    replaced(target, content)
    # As sha256sum(1) writes it, and reads it by --check.
    digest = hashlib.sha256(content).hexdigest()
    replaced(target.with_name(f"{target.name}.sha256"), f"{digest}  {target.name}\n".encode())
    print(f"tarball: {target.relative_to(ROOT)}, {len(content) / 1e6:.1f} MB, and its .sha256")


def replaced(target: Path, content: bytes) -> None:
    """At once: whoever copies it away meanwhile gets the old or the new one, whole."""
    new = target.with_name(f".{target.name}.{os.getpid()}")
    new.write_bytes(content)
    new.chmod(0o644)
    new.replace(target)


def source_date() -> int:
    """SOURCE_DATE_EPOCH, else the date of the commit; without git 0, which is 1970."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is not None:
        return int(given)
    words = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    try:
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    return int(said)


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
        add(tar, LICENSE, f"{top}/LICENSE", date)
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
