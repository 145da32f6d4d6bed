"""Files of /proc, which may be absent."""

from __future__ import annotations

import posix

CHUNK_BYTES = 1 << 16


def read_file(path: str) -> bytes | None:
    """The whole file; None where it cannot be read: no /proc, or no such part of the kernel, or a
    sandbox that opens it and refuses the rest."""
    try:
        fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
    except OSError:
        return None
    try:
        chunks = []
        while chunk := posix.read(fd, CHUNK_BYTES):
            chunks.append(chunk)
        return b"".join(chunks)
    except OSError:
        return None
    finally:
        posix.close(fd)
