"""What the static launcher (build/launcher.c) tells us, and how it wants the process back. Pure.

It runs before the frozen gate, blocks all signals, and passes one entry of the environment:
`_WFW_LAUNCH=<mask>,<flags>,<its own path>`, the mask 64 bits in hexadecimal (bit n-1: signal n was
blocked), the flags a decimal sum of the constants below. Entries of the container's environment
that would steer the loader or Python it hides, and brings back itself, in place and in order.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    # typeshed has no _signal; `signal` would cost the import of enum.
    import signal as _signal
    from collections.abc import Iterable, Mapping
else:
    import _signal

ENTRY = b"_WFW_LAUNCH"
SIGPIPE_IGNORED = 1
SIGXFSZ_IGNORED = 2
HIDDEN = 4
RESTORE = b"\x01wait-for-weave-restore"
# The launcher has hidden what the container had under these names, so what is to be seen there
# comes from the launcher and PyInstaller's bootloader.
BOOTLOADERS = (ENTRY, b"_PYI_", b"_MEIPASS2", b"PYINSTALLER_", b"LD_LIBRARY_PATH")


class Launch:
    """How the process was when the launcher began: blocked and ignored signals; its path."""

    __slots__ = ("hidden", "ignored", "mask", "path")

    def __init__(self, mask: set[int], flags: int, path: bytes) -> None:
        self.mask = mask
        ignored = ((SIGPIPE_IGNORED, _signal.SIGPIPE), (SIGXFSZ_IGNORED, _signal.SIGXFSZ))
        self.ignored = {number for flag, number in ignored if flags & flag}
        self.hidden = bool(flags & HIDDEN)
        self.path = path


def read(environ: Mapping[bytes, bytes]) -> Launch | None:
    """What the launcher said; None if there was none (an entry of that name is not from it)."""
    mask, _, rest = environ.get(ENTRY, b"").partition(b",")
    flags, _, path = rest.partition(b",")
    if not (path and flags.isdigit() and len(mask) == len(b"0" * 16)):
        return None
    try:
        bits = int(mask, 16)
    except ValueError:
        return None
    blocked = {int(number) for number in _signal.valid_signals() if bits >> (number - 1) & 1}
    return Launch(blocked, int(flags), path)


def names_of_ours(names: Iterable[bytes]) -> list[bytes]:
    """Of the names of a launched gate's environment, those that the command must not see."""
    return [name for name in names if name.startswith(BOOTLOADERS)]
