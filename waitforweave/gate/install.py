"""Copy the frozen gate into another folder, for pods and images that cannot mount its volume.

Kubernetes has no VolumesFrom: there an init container copies the gate to a volume that the other
containers share. Loaded only there; the one place where the gate writes.
"""

from __future__ import annotations

import posix

from waitforweave.gate.execute import fsencode
from waitforweave.gate.loop import GateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from waitforweave.gate.launcher import Launch

LIBRARY = b"lib"
# Whoever runs the gate there is another user than who installed it, whatever the umask is.
EXECUTABLE, READABLE = 0o755, 0o644
CHUNK_BYTES = 1 << 20


def install(launch: Launch | None, folder: str) -> None:
    """Copy launcher and library to `folder`, which is made if it is not there. Raises GateError.

    Each file is there at once and whole, and the launcher comes last: where there was no gate,
    whoever sees it can run it. A gate of another version there is replaced.
    """
    if launch is None:
        raise GateError("--install copies the frozen gate, and this one is not frozen")
    source, _, name = launch.path.rpartition(b"/")
    target = fsencode(folder)
    try:
        make_folder(target)
        if same(source, target):
            return
        if is_below(target, source + b"/" + LIBRARY):
            raise GateError(
                "--install: a folder in the gate's own lib/ would be copied into itself"
            )
        copy_tree(source, target, LIBRARY)
        copy_file(source, target, name)
    except OSError as error:
        where = error.filename if isinstance(error.filename, bytes) else target
        place = where.decode("ascii", "backslashreplace")
        raise GateError(f"--install: {place}: {error.strerror}") from None


def make_folder(path: bytes) -> None:
    """With those above it, for all to read. Raises OSError."""
    try:
        make_one(path)
    except FileNotFoundError:
        parent = path.rstrip(b"/").rpartition(b"/")[0]
        if not parent:
            raise
        make_folder(parent)
        make_one(path)


def make_one(path: bytes) -> None:
    """It may be there, also since a moment ago: "new/." is there once "new" is. Raises OSError."""
    try:
        posix.mkdir(path, EXECUTABLE)
    except FileExistsError:
        # Fails if it is no folder.
        posix.close(posix.open(path, posix.O_DIRECTORY | posix.O_PATH | posix.O_CLOEXEC))
        return
    posix.chmod(path, EXECUTABLE)


def same(one: bytes, other: bytes) -> bool:
    first, second = posix.stat(one), posix.stat(other)
    return (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)


def is_below(path: bytes, folder: bytes) -> bool:
    """By what they are, not by their names: there may be symlinks. Raises OSError."""
    while not same(path, folder):
        above = path + b"/.."
        if same(path, above):
            return False
        path = above
    return True


def copy_tree(source: bytes, target: bytes, name: bytes) -> None:
    """The folder `name` from one to the other. Raises OSError."""
    source, target = source + b"/" + name, target + b"/" + name
    make_folder(target)
    for entry in posix.scandir(source):
        (copy_tree if entry.is_dir() else copy_file)(source, target, entry.name)


def copy_file(source: bytes, target: bytes, name: bytes) -> None:
    """One file, under another name until it is whole. Raises OSError."""
    path = target + b"/" + name
    # Not by the pid: that is 1 in each container, also when it is started again after a kill.
    unfinished = b"%s/.%s.%s" % (target, name, posix.urandom(8).hex().encode())
    reader = posix.open(source + b"/" + name, posix.O_RDONLY | posix.O_CLOEXEC)
    try:
        mode = EXECUTABLE if posix.fstat(reader).st_mode & 0o100 else READABLE
        flags = posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_CLOEXEC
        writer = posix.open(unfinished, flags, 0o600)
        try:
            while chunk := posix.read(reader, CHUNK_BYTES):
                write_all(writer, chunk, path)
            posix.fchmod(writer, mode)
            posix.rename(unfinished, path)
        except OSError:
            posix.unlink(unfinished)
            raise
        finally:
            posix.close(writer)
    finally:
        posix.close(reader)


def write_all(fd: int, data: bytes, path: bytes) -> None:
    """Raises OSError, with the path, which write(2) does not know."""
    view = memoryview(data)
    try:
        while view:
            view = view[posix.write(fd, view) :]
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None
