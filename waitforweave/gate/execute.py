"""Find the command, give the process back untouched, exec."""

from __future__ import annotations

import posix
import sys
from errno import EACCES, EISDIR, ENOENT, ENOEXEC, ENOTDIR

from waitforweave.gate import launcher
from waitforweave.gate.weave_cidr import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from waitforweave.gate.launcher import Launch

# What Docker gives a container that sets none (moby, oci/defaults; runc looks in no other).
DEFAULT_PATH = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LAUNCHER_FAILED = 125  # the gate itself failed, not the command
NOT_EXECUTABLE = 126
NOT_FOUND = 127
PATH_MAX = 4096  # include/uapi/linux/limits.h
S_IFMT = 0o170000  # include/uapi/linux/stat.h, as the next one
S_IFDIR = 0o040000
ANY_EXECUTE = 0o111
# The words of strerror(3) for what execve(2) and stat(2) say here, and what they leave out.
HINTS = {
    EACCES: "permission denied",
    EISDIR: "is a directory",
    ENOENT: "no such file, or its interpreter is not there",
    ENOEXEC: "exec format error (no program for this machine, and no #! line)",
}


class CommandError(Exception):
    """The command cannot be run: `code` is the exit code, as Docker and shells have it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def find(command: str, path: bytes | None) -> bytes:
    """The file of `command`, as runc finds it: by Go's exec.LookPath, in this PATH.

    A word with a slash is used as it is. Raises CommandError.
    """
    word = fsencode(command)
    if b"/" in word:
        problem = why_not(word)
        if problem is not None:
            raise command_error(word, problem)
        return word
    return search(word, DEFAULT_PATH if path is None else path)


def search(word: bytes, path: bytes) -> bytes:
    """The first file of this name in PATH that can be executed. Raises CommandError."""
    denied = None
    for file in candidates(word, path):
        problem = why_not(file)
        if problem is None:
            return refuse_relative(word, file)
        # A file without an execute bit is not it; one that only others may run could be.
        if problem == EACCES and is_program(file):
            denied = denied or file
    if denied is not None:
        raise command_error(denied, EACCES)
    raise CommandError(NOT_FOUND, f"{shown(word)}: not found in PATH ({listed(path)})")


def candidates(word: bytes, path: bytes) -> list[bytes]:
    """Where a word without a slash may be: an empty PATH is nowhere, an empty entry is "."."""
    if not word or not path:
        return []
    return [clean(entry + b"/" + word if entry else word) for entry in path.split(b":")]


def clean(path: bytes) -> bytes:
    """As Go's filepath.Clean, by the letters alone: a script sees its $0 as it would without us."""
    root = b"/" if path.startswith(b"/") else b""
    kept: list[bytes] = []
    for part in path.split(b"/"):
        if part == b".." and kept and kept[-1] != b"..":
            kept.pop()
        elif part not in (b"", b".") and not (part == b".." and root):
            kept.append(part)
    return root + b"/".join(kept)


def refuse_relative(word: bytes, file: bytes) -> bytes:
    """Go's LookPath finds nothing relative to the current directory, since 1.19 (ErrDot)."""
    if file.startswith(b"/"):
        return file
    what = "cannot run executable found relative to current directory"
    raise CommandError(NOT_EXECUTABLE, f"{shown(word)}: {what}")


def why_not(file: bytes) -> int | None:
    """None if `file` can be executed, else the errno that says why not."""
    try:
        mode = posix.stat(file).st_mode
    except OSError as error:
        return error.errno or ENOENT
    if mode & S_IFMT == S_IFDIR:
        return EISDIR
    return None if mode & ANY_EXECUTE and posix.access(file, posix.X_OK) else EACCES


def is_program(file: bytes) -> bool:
    """Has `file` an execute bit for anybody at all?"""
    try:
        return bool(posix.stat(file).st_mode & ANY_EXECUTE)
    except OSError:
        return False


def command_error(file: bytes, errno: int) -> CommandError:
    """The error for a file of which the kernel says `errno`."""
    code = NOT_FOUND if errno in (ENOENT, ENOTDIR) else NOT_EXECUTABLE
    return CommandError(code, f"{shown(file)}: {HINTS.get(errno) or posix.strerror(errno).lower()}")


def become(file: bytes, command: list[str]) -> NoReturn:
    """Execute `file` with `command` as its arguments. Raises CommandError if that fails.

    By execv, not execve: C's environ keeps order, duplicates and entries without "=".
    """
    try:
        posix.execv(file, command)
    except OSError as error:
        raise command_error(file, error.errno or ENOEXEC) from None


def become_by_launcher(file: bytes, command: list[str], launch: Launch) -> NoReturn:
    """As become(): the launcher brings back what it has hidden, in place, and executes `file`."""
    restore: list[bytes | str] = [launcher.RESTORE, file, *command]
    try:
        posix.execv(launch.path, restore)
    except OSError as error:
        what = posix.strerror(error.errno or ENOEXEC).lower()
        message = f"our launcher {shown(launch.path)}: {what}"
        raise CommandError(LAUNCHER_FAILED, message) from None


def clean_environment(launch: Launch | None) -> None:
    """Take out of C's environ what the command would not have found there without us."""
    if launch is None:
        from waitforweave.gate import coercion

        coercion.undo()
        return
    for name in launcher.names_of_ours(posix.environ):
        posix.unsetenv(name)


def fsencode(word: str) -> bytes:
    """The bytes that Python got for a word of its command line."""
    return word.encode(sys.getfilesystemencoding(), "surrogateescape")


def listed(path: bytes) -> str:
    """PATH in a message, as far as it helps."""
    return quote(path.decode("ascii", "surrogateescape")) or '""'


def shown(word: bytes) -> str:
    """A path in a message, whole; an empty one must be seen there."""
    return quote(word.decode("ascii", "surrogateescape"), PATH_MAX) or '""'
