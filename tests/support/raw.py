"""Signals as the kernel has them: glibc keeps two of the 64, 32 and 33, to itself."""

from __future__ import annotations

import ctypes
import platform
import signal

LIBC = ctypes.CDLL(None, use_errno=True)
SYS_RT_SIGPROCMASK = {"x86_64": 14, "aarch64": 135}[platform.machine()]
ALL = range(1, 65)


def block(*numbers: int) -> int:
    """Block these too; all that are blocked then, bit n-1 for signal n."""
    added = ctypes.c_uint64(sum(1 << (number - 1) for number in numbers))
    change(signal.SIG_BLOCK, ctypes.byref(added), None)
    found = ctypes.c_uint64()
    change(signal.SIG_BLOCK, None, ctypes.byref(found))
    return found.value


def change(*words: object) -> None:
    if LIBC.syscall(SYS_RT_SIGPROCMASK, *words, ctypes.c_size_t(8)):
        raise OSError(ctypes.get_errno(), "rt_sigprocmask")
