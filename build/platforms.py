"""The machines that a bundle can be for, and how things are named on each. Pure but for main().

python build/platforms.py [NAME]: exit 0 if this Python can freeze for it; else 1, and why not. It
runs before anything is installed, so it imports nothing but the standard library.
"""

from __future__ import annotations

import sys
import sysconfig
from dataclasses import dataclass


@dataclass(frozen=True)
class Platform:
    """One kind of machine, with glibc: PyInstaller's bootloader and libpython are made for it."""

    machine: str  # uname -m
    elf_machine: int  # e_machine, elf.h: EM_X86_64, EM_AARCH64
    loader: str  # the name that the machine's ABI gives to the dynamic linker

    @property
    def name(self) -> str:
        return f"linux-{self.machine}"

    @property
    def multiarch(self) -> str:
        """Debian's and Python's name: of library folders, and in those of extension modules."""
        return f"{self.machine}-linux-gnu"

    @property
    def launcher_target(self) -> str:
        """As zig and LLVM name what the launcher is: static, so it brings musl."""
        return f"{self.machine}-linux-musl"

    def release(self, version: str) -> str:
        """The top folder of the tarball, and its name without .tar.gz."""
        return f"wait-for-weave-{version}-{self.name}"

    def is_program_of(self, header: bytes) -> bool:
        """Whether this is how an ELF file for this machine begins; both are little-endian."""
        return header[:4] == b"\x7fELF" and header[18:20] == self.elf_machine.to_bytes(2, "little")


PLATFORMS = (
    Platform("x86_64", 62, "ld-linux-x86-64.so.2"),
    Platform("aarch64", 183, "ld-linux-aarch64.so.1"),
)
NAMES = ", ".join(platform.name for platform in PLATFORMS)


class PlatformError(Exception):
    """There is no freezing for this platform, or not here; the message says what it takes."""


def named(name: str) -> Platform:
    for platform in PLATFORMS:
        if platform.name == name:
            return platform
    raise PlatformError(f'no platform "{name}"; there are {NAMES}')


def of_interpreter(multiarch: str | None) -> Platform:
    """The platform of a Python, by its MULTIARCH: not uname's, which is the kernel's."""
    for platform in PLATFORMS:
        if platform.multiarch == multiarch:
            return platform
    raise PlatformError(f"this Python is for {multiarch or 'an unknown machine'}; needed: {NAMES}")


def to_freeze(wanted: str | None, multiarch: str | None) -> Platform:
    """The platform to freeze for. PyInstaller takes interpreter, libraries and bootloader from
    where it runs, so that can only be its own."""
    if not wanted:
        return of_interpreter(multiarch)
    platform = named(wanted)
    if multiarch != platform.multiarch:
        raise PlatformError(
            f"{wanted} cannot be frozen by a Python for {multiarch}: only the launcher is compiled"
            f" for other machines. Run make freeze on {wanted}, or in a root of it under qemu-user:"
            " docs/freeze.md"
        )
    return platform


def here() -> Platform:
    return to_freeze(None, sysconfig.get_config_var("MULTIARCH"))


def main(words: list[str]) -> int:
    try:
        to_freeze(words[0] if words else None, sysconfig.get_config_var("MULTIARCH"))
    except PlatformError as error:
        print(f"freeze: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
