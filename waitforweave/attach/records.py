"""What a backend has to remember of each container: a file of JSON each, in a folder."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from waitforweave import whole_file
from waitforweave.attach.backend import AttachError

SUFFIX = ".json"
Record = dict[str, Any]


class Records:
    """OSError where the folder cannot be written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        return self.folder / (quote(key, safe=":") + SUFFIX)

    def read(self, key: str) -> Record | None:
        """AttachError for a file that is not what we wrote."""
        path = self.path(key)
        try:
            found = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise AttachError(f"{path} cannot be read: {error}") from error
        if not isinstance(found, dict):
            raise AttachError(f"{path} cannot be read: no object")
        return found

    def write(self, key: str, record: Record) -> None:
        """All of it or nothing, also where the power or the disk's room goes."""
        self.folder.mkdir(parents=True, exist_ok=True)
        whole_file.write(self.path(key), json.dumps(record).encode())

    def remove(self, key: str) -> None:
        self.path(key).unlink(missing_ok=True)

    def holders(self) -> list[str]:
        return sorted(unquote(path.stem) for path in self.folder.glob(f"*{SUFFIX}"))

    def forget(self) -> None:
        """Take the folder away if nothing is in it any more."""
        with suppress(OSError):
            self.folder.rmdir()
