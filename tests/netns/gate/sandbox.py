"""A seccomp filter that refuses sockets, as a sandbox does; for use between fork and exec."""

from __future__ import annotations

import ctypes
import errno
import platform
import socket
from struct import pack

SYS_SOCKET = {"x86_64": 41, "aarch64": 198}[platform.machine()]
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
# include/uapi/linux/bpf_common.h and seccomp.h: load a word, jump if equal, return.
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
SYSCALL_AT, FIRST_ARGUMENT_AT = 0, 16


class SockFprog(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def refuse_netlink() -> None:
    """From here on socket(AF_NETLINK, ...) fails with EPERM."""
    install(
        (LOAD, 0, 0, SYSCALL_AT),
        (JUMP_EQUAL, 0, 3, SYS_SOCKET),
        (LOAD, 0, 0, FIRST_ARGUMENT_AT),
        (JUMP_EQUAL, 0, 1, socket.AF_NETLINK),
        (RETURN, 0, 0, ERRNO | errno.EPERM),
        (RETURN, 0, 0, ALLOW),
    )


def refuse_all_sockets() -> None:
    """From here on every socket() fails with EACCES."""
    install(
        (LOAD, 0, 0, SYSCALL_AT),
        (JUMP_EQUAL, 0, 1, SYS_SOCKET),
        (RETURN, 0, 0, ERRNO | errno.EACCES),
        (RETURN, 0, 0, ALLOW),
    )


def install(*steps: tuple[int, int, int, int]) -> None:
    program = b"".join(pack("=HBBI", *step) for step in steps)
    libc = ctypes.CDLL(None, use_errno=True)
    fprog = SockFprog(len(steps), program)
    for words in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(fprog), 0, 0),
    ):
        if libc.prctl(*words):
            raise OSError(ctypes.get_errno(), "prctl")
