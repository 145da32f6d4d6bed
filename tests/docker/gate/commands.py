"""Commands that run, and that cannot: a root full of them, and how each is asked for."""

from __future__ import annotations

import io
import tarfile
from typing import Any

from tests.support import images

SAYS_ITS_NAME = b'#!/bin/sh\necho "$0 $*"\n'
FILES: dict[str, tuple[bytes, int]] = {
    "one/tool": (SAYS_ITS_NAME, 0o644),
    "two/tool": (SAYS_ITS_NAME, 0o755),
    "one/for-root": (SAYS_ITS_NAME, 0o744),
    "two/for-root": (SAYS_ITS_NAME, 0o755),
    "one/only-for-root": (SAYS_ITS_NAME, 0o744),
    "closed/tool": (SAYS_ITS_NAME, 0o755),
    "here": (SAYS_ITS_NAME, 0o755),
    "a/b": (SAYS_ITS_NAME, 0o755),
    "plain": (SAYS_ITS_NAME, 0o644),
    "unreadable": (SAYS_ITS_NAME, 0o711),
    "no-interpreter-line": (b"echo hi\n", 0o755),
    "empty": (b"", 0o755),
    "broken-elf": (b"\x7fELFnonsense", 0o755),
    "interpreter-missing": (b"#!/nonexistent/x\n", 0o755),
    "interpreter-plain": (b"#!/plain\n", 0o755),
    "interpreter-folder": (b"#!/one\n", 0o755),
    "interpreter-itself": (b"#!/interpreter-itself\n", 0o755),
    "interpreter-script": (b"#!/a/b\n", 0o755),
    "crlf": (b"#!/bin/sh\r\necho hi\n", 0o755),
}
FOLDERS = {"one": 0o755, "one/folder": 0o755, "two": 0o755, "a": 0o755, "closed": 0o700}
LINKS = {"loop": "pool", "pool": "loop", "dangling": "nowhere", "alias": "a/b"}

Case = tuple[list[str], dict[str, Any]]


def path(value: str) -> dict[str, Any]:
    return {"env": [f"PATH={value}"]}


AS_ROOT: dict[str, Case] = {
    "not in PATH": (["nosuch"], {}),
    "no such file": (["/nosuch"], {}),
    "below a file": (["/plain/x"], {}),
    "a slash behind a file": (["/here/"], {}),
    "a folder": (["/one"], {}),
    "not executable": (["/plain"], {}),
    "no interpreter line": (["/no-interpreter-line"], {}),
    "0 bytes": (["/empty"], {}),
    "broken ELF": (["/broken-elf"], {}),
    "interpreter missing": (["/interpreter-missing"], {}),
    "interpreter not executable": (["/interpreter-plain"], {}),
    "interpreter a folder": (["/interpreter-folder"], {}),
    "interpreter itself": (["/interpreter-itself"], {}),
    "interpreter a script": (["/interpreter-script", "x"], {}),
    "lines end as on Windows": (["/crlf"], {}),
    "link in a loop": (["/loop"], {}),
    "dangling link": (["/dangling"], {}),
    "link": (["/alias", "x"], {}),
    "PATH empty": (["tool"], path("")),
    "PATH unset": (["sh", "-c", "echo ran"], {"env": ["PATH"]}),
    "PATH relative": (["tool"], path("two")),
    "PATH relative, then absolute": (["tool"], path("two:/two")),
    "PATH with an empty entry, here": (["here"], path(":/two")),
    "PATH with an empty entry at its end": (["here"], path("/two:")),
    "PATH with empty entries, elsewhere": (["tool"], path("::/two")),
    "PATH unclean": (["tool"], path("/one/..//./two/")),
    "first of two not executable": (["tool"], path("/one:/two")),
    "only one, not executable": (["tool"], path("/one")),
    "folder in PATH": (["folder"], path("/one")),
    "./ in the workdir": (["./here", "x"], {}),
    "relative to the workdir": (["a/b", "x"], {}),
    "./ in another workdir": (["./b"], {"WorkingDir": "/a"}),
    "../ in another workdir": (["../here"], {"WorkingDir": "/a"}),
    "empty word": ([""], {}),
    "-": (["-"], {}),
    "--": (["--", "x"], {}),
    "--help": (["--help"], {}),
    "-x": (["-x"], {}),
    ".": (["."], {}),
    "name too long": (["/" + "x" * 300], {}),
    "line feed": (["/no\nsuch"], {}),
    "1 MB of arguments": (["/bin/sh", "-c", "echo $# $1", "sh"] + ["y" * 1000] * 1000, {}),
    "an argument of 128 KiB": (["/bin/wc", "-c", "x" * (128 * 1024 - 1)], {}),
    "an argument of 128 KiB and one": (["/bin/true", "x" * 128 * 1024], {}),
    "3 MB of arguments": (["/bin/true"] + ["x" * 1000] * 3000, {}),
}
USER = {"User": "1000:1000"}
AS_USER: dict[str, Case] = {
    f"{name}, as a user": (AS_ROOT[name][0], {**AS_ROOT[name][1], **USER})
    for name in ("not in PATH", "a folder", "not executable", "first of two not executable", "link")
}
AS_USER |= {
    "first for root": (["for-root"], {**path("/one:/two"), **USER}),
    "only for root": (["only-for-root"], {**path("/one"), **USER}),
    "in a closed folder": (["/closed/tool"], USER),
    "PATH with a closed folder": (["tool"], {**path("/closed"), **USER}),
    "PATH with a closed folder first": (["tool"], {**path("/closed:/two"), **USER}),
    "unreadable script": (["/unreadable"], USER),
}
CASES = {**AS_ROOT, **AS_USER}


def root() -> bytes:
    """Busybox's root with all of these."""
    buffer = io.BytesIO(images.busybox_root())
    with tarfile.open(fileobj=buffer, mode="a") as tar:
        for name, mode in FOLDERS.items():
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            tar.addfile(folder)
        for name, (content, mode) in FILES.items():
            images.add_file(tar, name, content, mode)
        for name, target in LINKS.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
    return buffer.getvalue()
