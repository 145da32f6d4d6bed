"""What following one file needs: which names, in which folders, came anew."""

from __future__ import annotations

from pathlib import Path

from waitforweave.inotify import OVERFLOW, Inotify

# sys/inotify.h. What is being written is no news until it is closed.
CLOSE_WRITE, MOVED_TO, CREATE, IGNORED = 0x8, 0x80, 0x100, 0x8000
# More symbolic links than this the kernel does not follow either (path_resolution(7)).
LINKS = 40


class Watch(Inotify):
    """Which names are watched, and which of them came anew. OSError."""

    def __init__(self) -> None:
        super().__init__()
        self._watched: dict[int, Path] = {}

    def follow(self, path: Path) -> None:
        """Watch what is at this path now, a folder or a file; once more changes nothing."""
        self._watched[self.add(path, CLOSE_WRITE | MOVED_TO | CREATE)] = path

    def changed(self, names: set[Path]) -> set[Path]:
        """Which of these names came anew since the last time, a file's own where it was watched
        itself; or may have: where too much happens at once, the kernel says only that.

        A regular file that is made is told of when it is closed, a symbolic link and a folder at
        once.
        """
        found = set()
        for number, mask, name in self.read():
            if mask & OVERFLOW:
                found |= names
            if number not in self._watched:
                continue
            path = self._watched[number] / name
            if mask & IGNORED:  # What was watched is gone, and its number with it.
                del self._watched[number]
            elif mask & (CLOSE_WRITE | MOVED_TO) or path.is_symlink() or path.is_dir():
                found.add(path)
        return found & names


def names_to(path: Path) -> set[Path]:
    """Each name that may come to mean another file: the path's own, and those of the folders and
    symbolic links that it leads through. The folders of these names are real ones."""
    found = set()
    here, left = Path("/"), list(path.absolute().parts[1:])
    links = 0
    while left and links <= LINKS:
        name = left.pop(0)
        if name == "..":
            here = here.parent
            continue
        step = here / name
        found.add(step)
        try:
            target = step.readlink()
        except OSError:  # No link, or nobody can say: then the file cannot be read there either.
            here = step
            continue
        links += 1
        left = [*target.parts, *left]
        if target.is_absolute():
            here, left = Path("/"), left[1:]
    return found
