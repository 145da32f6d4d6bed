"""adapters.yml, read again while the proxy runs: on SIGHUP, and when the file changes."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from waitforweave.proxy.adapters import ConfigError, Endpoint, load, summary
from waitforweave.proxy.inotify import Watch, names_to

log = logging.getLogger(__name__)

Rules = tuple[Endpoint, ...]


class RulesFile:
    """The rules of a file that may change. ConfigError if it holds none to begin with.

    Editors, `mv` and a ConfigMap put another file in its place, or another folder in its folder's,
    so its name is watched in its folder, and each name on the way to it in its own; the file itself
    is too, since a container that has it as a mount sees nothing else. Watched from here on, so
    that no change falls in between.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._names: set[Path] = set()
        self._watch = self._begin()
        self._stamp = stamp(file)
        self.rules: Rules = load(file)

    @contextmanager
    def following(self, use: Callable[[Rules], None]) -> Iterator[None]:
        """Inside the block `use` gets the rules when they are read again. A file that is wrong
        changes nothing; either is a line in the log."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._read, use)
        if self._watch is not None:
            loop.add_reader(self._watch.fd, self._changed, self._watch, use)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGHUP)
            if self._watch is not None:
                loop.remove_reader(self._watch.fd)
                self._watch.close()

    def _read(self, use: Callable[[Rules], None]) -> None:
        self._stamp = stamp(self._file)
        try:
            self.rules = load(self._file)
        except ConfigError as error:
            log.error("the rules stay as they are: %s", error)
            return
        use(self.rules)
        log.info("%s, read again: %s", self._file, summary(self.rules))

    def _begin(self) -> Watch | None:
        try:
            watch = Watch()
        except OSError as error:
            self._unwatched(error)
            return None
        self._add_names(watch)
        return watch

    def _changed(self, watch: Watch, use: Callable[[Rules], None]) -> None:
        if not watch.changed(self._names):
            return
        # They may lead elsewhere now.
        self._add_names(watch)
        # A file that is written in its place is told of twice, by its folder and by itself.
        if stamp(self._file) != self._stamp:
            self._read(use)

    def _add_names(self, watch: Watch) -> None:
        self._names = names_to(self._file)
        for path in {Path("/"), *self._names}:
            # A link's own name leads to a file that has its own; what is not there yet comes to its
            # folder.
            try:
                if path.exists() and not path.is_symlink():
                    watch.follow(path)
            except OSError as error:
                # A folder further up may be one that we may only pass through.
                if not isinstance(error, PermissionError) or path == self._file.resolve().parent:
                    self._unwatched(error)

    def _unwatched(self, error: OSError) -> None:
        log.warning("%s is read again on SIGHUP only: %s", self._file, error.strerror)


def stamp(file: Path) -> tuple[int, ...] | None:
    """What differs between two files, or two states of one; None if it is not there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
