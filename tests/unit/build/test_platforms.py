"""What a freeze is for: names on each machine, refusals, and what the linker and zig are told."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from build import bundle, platforms
from build.platforms import PLATFORMS, Platform, PlatformError

ROOT = Path(__file__).resolve().parents[3]
X86_64, AARCH64 = PLATFORMS
OTHER = AARCH64 if platforms.here() is X86_64 else X86_64


@pytest.mark.parametrize(
    ("platform", "names"),
    [
        (X86_64, ["linux-x86_64", "x86_64-linux-gnu", "x86_64-linux-musl", "ld-linux-x86-64.so.2"]),
        (
            AARCH64,
            ["linux-aarch64", "aarch64-linux-gnu", "aarch64-linux-musl", "ld-linux-aarch64.so.1"],
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Platform) else "",
)
def test_each_has_its_names(platform, names):
    found = [platform.name, platform.multiarch, platform.launcher_target, platform.loader]
    assert found == names
    assert platform.release("1.2") == f"wait-for-weave-1.2-{names[0]}"
    assert platforms.named(names[0]) is platform
    assert platforms.of_interpreter(names[1]) is platform


def test_without_a_name_the_freeze_is_for_the_pythons_own():
    for platform in PLATFORMS:
        assert platforms.to_freeze(None, platform.multiarch) is platform
        assert platforms.to_freeze("", platform.multiarch) is platform
        assert platforms.to_freeze(platform.name, platform.multiarch) is platform


@pytest.mark.parametrize(
    ("wanted", "multiarch", "words"),
    [
        ("linux-aarch64", "x86_64-linux-gnu", "linux-aarch64 cannot be frozen by a Python for x86"),
        ("linux-x86_64", "aarch64-linux-gnu", "Run make freeze on linux-x86_64"),
        ("linux-x86_64", None, "a Python for None"),
        ("linux-mips", "x86_64-linux-gnu", 'no platform "linux-mips"; there are linux-x86_64, '),
        (None, "x86_64-linux-musl", "this Python is for x86_64-linux-musl; needed: linux-x86_64,"),
        (None, None, "an unknown machine"),
    ],
)
def test_what_cannot_be_frozen_says_why(wanted, multiarch, words):
    with pytest.raises(PlatformError, match=words):
        platforms.to_freeze(wanted, multiarch)


@pytest.mark.parametrize(
    "words",
    [
        ["make", "--no-print-directory", "freeze", f"PLATFORM={OTHER.name}"],
        ["make", "--no-print-directory", "tarball", f"PLATFORM={OTHER.name}"],
        [sys.executable, "-m", "build.freeze", "--platform", OTHER.name],
    ],
    ids=["make freeze", "make tarball", "build.freeze"],
)
def test_the_freeze_for_another_machine_ends_before_it_made_anything(words):
    before = made()
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stdout == ""
    first = done.stderr.splitlines()[0]
    assert first.startswith(f"freeze: {OTHER.name} cannot be frozen by a Python for ")
    assert first.endswith("docs/freeze.md")
    assert made() == before


def made() -> dict[str, int]:
    folders = [ROOT / "dist", ROOT / ".cache" / "freeze"]
    paths = [path for folder in folders for path in folder.rglob("*")]
    return {str(path): path.lstat().st_mtime_ns for path in paths}


LDD = """\
/bundle/lib/_socket.so:
\tlinux-vdso.so.1 (0x0000ffff8f5c7000)
\tlibc.so.6 => /lib/aarch64-linux-gnu/libc.so.6 (0x0000ffff8f3b0000)
\t/lib/ld-linux-aarch64.so.1 (0x0000ffff8f58a000)
\tlibssl.so.3 => not found
/bundle/lib/fcntl.so:
\tlibc.so.6 => /lib/aarch64-linux-gnu/libc.so.6 (0x0000ffff8f3b0000)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f1f7a2f4000)
\tlibm.so.6 => /usr/lib/x86_64-linux-gnu/libm.so.6 (0x00007f1f7a000000)
\tstatically linked
"""


def test_what_ldd_says_is_read_on_each_machine():
    assert [str(path) for path in bundle.found(LDD)] == [
        "/lib/aarch64-linux-gnu/libc.so.6",
        "/lib/ld-linux-aarch64.so.1",
        "/lib64/ld-linux-x86-64.so.2",
        "/usr/lib/x86_64-linux-gnu/libm.so.6",
    ]
    assert bundle.not_found(LDD) == ["libssl.so.3"]


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.name)
def test_the_compiler_is_told_the_machine(platform):
    words = bundle.compiler_words(platform, ["-DGATE"])
    assert words[words.index("-target") + 1] == platform.launcher_target
    assert {"-static", "-s", "-Werror", "-DGATE"} <= set(words)


# The compiler's first run for a machine compiles musl for it, too.
@pytest.mark.timeout(900)
@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.name)
@pytest.mark.parametrize("defines", [["-DGATE"], []], ids=["gate", "tool"])
def test_the_launcher_is_compiled_for_each_machine_static_and_small(platform, defines, tmp_path):
    target = tmp_path / "launcher"
    bundle.compile_launcher(target, defines, platform)
    content = target.read_bytes()
    assert [other for other in PLATFORMS if other.is_program_of(content)] == [platform]
    assert not {PT_DYNAMIC, PT_INTERP} & set(program_header_types(content))
    # Of the aarch64 one a fifth is padding, for pages of 64 KB.
    assert len(content) <= 36 * 1024
    assert os.fsencode(ROOT) not in content


PT_DYNAMIC, PT_INTERP = 2, 3


def program_header_types(content: bytes) -> list[int]:
    """elf.h: Elf64_Ehdr's e_phoff, e_phentsize, e_phnum, and each Elf64_Phdr's p_type."""
    (offset,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    return [struct.unpack_from("<I", content, offset + size * i)[0] for i in range(count)]


def test_what_is_no_program_is_none_of_any_machine():
    for content in (b"", b"\x7fELF", b"#!/bin/sh\nexit 0\n # longer than a header"):
        assert not any(platform.is_program_of(content) for platform in PLATFORMS)
