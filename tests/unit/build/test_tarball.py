"""The tarball: the same bytes of the same bundle, whoever packs it, when, and where."""

from __future__ import annotations

import io
import os
import shutil
import struct
import tarfile
from pathlib import Path

import pytest

from build import tarball

DATE = 1_700_000_000
TOP = "wait-for-weave-1.2-linux-x86_64"
SHARED = [
    "bash-completion/completions/wait-for-weave",
    "fish/vendor_completions.d/wait-for-weave.fish",
    "man/man1/wait-for-weave.1",
    "zsh/site-functions/_wait-for-weave",
]


@pytest.fixture
def bundle(tmp_path) -> Path:
    return make_bundle(tmp_path / "bundle", ["wait-for-weave", "lib/b.pyc", "lib/a.so", "lib/é/x"])


def make_bundle(folder: Path, names: list[str]) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 1000)
    (folder / "wait-for-weave").chmod(0o755)
    return folder


def entries(content: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return tar.getmembers()


def test_it_holds_the_bundle_under_one_folder_in_order(bundle):
    found = entries(tarball.packed(bundle, TOP, DATE))
    inside = ["", "/lib", "/lib/a.so", "/lib/b.pyc", "/lib/é", "/lib/é/x", "/wait-for-weave"]
    beside = ["/LICENSE", *(f"/share/{name}" for name in SHARED)]
    assert [entry.name for entry in found] == [f"{TOP}{name}" for name in [*inside, *beside]]
    for entry in found:
        assert (entry.uid, entry.gid, entry.uname, entry.gname) == (0, 0, "root", "root")
        assert entry.mtime == DATE
        wanted = 0o755 if entry.isdir() or entry.name == f"{TOP}/wait-for-weave" else 0o644
        assert entry.mode == wanted, entry.name


def test_neither_place_nor_time_nor_umask_nor_order_of_making_shows(bundle, tmp_path):
    content = tarball.packed(bundle, TOP, DATE)
    before = os.umask(0o077)
    try:
        names = ["lib/é/x", "lib/a.so", "lib/b.pyc", "wait-for-weave"]
        other = make_bundle(tmp_path / "another place", names)
    finally:
        os.umask(before)
    (other / "wait-for-weave").chmod(0o700)
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
    assert tarball.packed(other, TOP, DATE) == content
    linked = shutil.copytree(bundle, tmp_path / "linked", copy_function=os.link)
    assert tarball.packed(linked, TOP, DATE) == content


def test_gzips_header_has_no_name_and_no_time(bundle):
    # RFC 1952: magic, method, flags (FNAME is 8), mtime.
    magic, method, flags, mtime = struct.unpack_from("<HBBI", tarball.packed(bundle, TOP, DATE))
    assert (magic, method, flags, mtime) == (0x8B1F, 8, 0, 0)
