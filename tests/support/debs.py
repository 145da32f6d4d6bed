"""Roots from Debian's packages, of any of its suites; kept in .cache/."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from functools import cache
from pathlib import Path

from tests.support.compiled import CACHE

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
ARCHIVE = "/debian/"  # how the main archive's address ends, wherever it is
MERGED = ("bin", "sbin", "lib", "lib64")
NOT_NEEDED = ("usr/share", "usr/lib/x86_64-linux-gnu/gconv", "usr/lib/aarch64-linux-gnu/gconv")


class NotToBeHadError(Exception):
    """This machine's apt cannot get them; says why."""


def root(suite: str, *packages: str) -> bytes:
    """A tar with what is in these packages of this suite, /lib merged into /usr/lib as it is now.

    NotToBeHadError.
    """
    kept = CACHE / "roots" / f"{suite}-{'-'.join(packages)}.tar"
    if not kept.exists():
        folder = kept.with_suffix("")
        shutil.rmtree(folder, ignore_errors=True)
        unpack(download(folder, suite, packages), folder / "root")
        kept.write_bytes(packed(folder / "root"))
    return kept.read_bytes()


def download(folder: Path, suite: str, packages: tuple[str, ...]) -> list[Path]:
    """The .deb files, by an apt that has nothing in common with the machine's but its mirror."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "list").write_text(f"deb [signed-by={KEYRING}] {mirror()} {suite} main\n")
    options = {
        "Dir::State": folder / "state",
        "Dir::State::status": "/dev/null",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::sourcelist": folder / "list",
        "Dir::Etc::sourceparts": "-",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-qq", *(word for n, v in options.items() for word in ("-o", f"{n}={v}"))]
    for words in (["update"], ["download", *packages]):
        said = subprocess.run(
            [*apt, *words], cwd=folder, check=False, capture_output=True, text=True
        )
        if said.returncode != 0:
            raise NotToBeHadError(said.stderr)
    return sorted(folder.glob("*.deb"))


@cache
def mirror() -> str:
    """Where this machine gets Debian from."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)"]
    if shutil.which(asked[0]) is None:
        raise NotToBeHadError("no apt here")
    addresses = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    found = [address for address in addresses if address.endswith(ARCHIVE)]
    if not found:
        raise NotToBeHadError("apt has no Debian archive")
    return found[0]


def unpack(debs: list[Path], target: Path) -> None:
    for deb in debs:
        part = target.with_name(deb.stem)
        subprocess.run(["dpkg-deb", "-x", deb, part], check=True)
        for name in ("usr", *MERGED):
            place = target / "usr" / ("" if name == "usr" else name)
            if (part / name).is_dir():
                shutil.copytree(part / name, place, symlinks=True, dirs_exist_ok=True)


def packed(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in MERGED:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, f"usr/{name}"
            tar.addfile(link)
        tar.add(folder, ".", filter=needed)
    return buffer.getvalue()


def needed(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if entry.name.removeprefix("./").startswith(NOT_NEEDED) else entry


@cache
def codename() -> str:
    """The suite that this machine's archive is asked for. NotToBeHadError."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)"]
    lines = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()
    found = [line.split()[1] for line in lines if line.split()[0] == mirror()]
    return found[0]
